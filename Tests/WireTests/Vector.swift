// Reads proto-spec/vectors: text hex, `#` to the end of the line is a comment, `hh*N` is N times the byte.

import Foundation
import Testing
import Wire

struct Vector: CustomTestStringConvertible, Sendable {
    let name: String
    let edge: String
    let side: Side
    let fds: Int
    let bytes: [UInt8]
    /// nil: to be accepted.
    let reason: String?

    var testDescription: String { "\(edge)/\(name)" }

    struct Malformed: Error {
        let file: String
    }

    static func all() throws -> [Vector] {
        var vectors: [Vector] = []
        for edge in try FileManager.default.contentsOfDirectory(atPath: Repository.vectors.path).sorted() {
            let folder = Repository.vectors.appendingPathComponent(edge)
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
            for name in names.sorted() where name.hasSuffix(".hex") {
                let text = try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
                vectors.append(try Vector(edge: edge, name: name, text: text))
            }
        }
        return vectors
    }

    private init(edge: String, name: String, text: String) throws {
        let lines = text.split(separator: "\n").map(String.init)
        let head = (lines.first ?? "").split(separator: " ").map(String.init)
        guard head.count == 6, head[0...2] == ["#", "frame", "from"], head[4] == "fds", let fds = Int(head[5]),
            head[3] == "client;" || head[3] == "server;"
        else { throw Malformed(file: "\(edge)/\(name)") }
        self.edge = edge
        self.name = name
        self.fds = fds
        side = head[3] == "client;" ? .client : .server
        reason = lines.first { $0.hasPrefix("# reject ") }.map { String($0.dropFirst(9)) }
        guard (reason == nil) == name.hasPrefix("accept_") else { throw Malformed(file: "\(edge)/\(name)") }
        var bytes: [UInt8] = []
        for word in lines.flatMap({ $0.prefix { $0 != "#" }.split(separator: " ") }) {
            let parts = word.split(separator: "*")
            guard let data = Hex.decode(String(parts[0])), let count = parts.count == 2 ? Int(parts[1]) : 1 else {
                throw Malformed(file: "\(edge)/\(name)")
            }
            for _ in 0..<count { bytes += data }
        }
        self.bytes = bytes
    }
}
