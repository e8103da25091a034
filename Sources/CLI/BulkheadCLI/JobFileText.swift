// JobFileText: the bytes of a job file or of projects, from a file or standard input, and never more of them than the
// API would take.

import Foundation
import JobModel
package import YAMLDocuments

package enum JobFileText {
    /// The text of the file at `path`; `-` is standard input. Throws a `CommandFailure`.
    package static func read(_ path: String, of kind: YAMLSpec.Kind = .job) throws -> String {
        let name = path == "-" ? "standard input" : path
        var bytes = Data()
        do {
            let file = path == "-" ? .standardInput : try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            while bytes.count <= JobFile.Bounds.bytes, let part = try file.read(upToCount: 65_536), !part.isEmpty {
                bytes.append(part)
            }
        } catch {
            throw CommandFailure(
                "cannot read \(name): \(CommandFailure.cause(of: error)); give the path of a \(kind.file), or - for "
                    + "standard input", exit: .usage)
        }
        guard bytes.count <= JobFile.Bounds.bytes else {
            throw CommandFailure(
                "\(name) is larger than \(JobFile.Bounds.bytes >> 20) MiB, the most that a \(kind.file) has; "
                    + kind.rest, exit: .usage)
        }
        guard let text = String(data: bytes, encoding: .utf8) else {
            throw CommandFailure("\(name) is not UTF-8 text", exit: .usage)
        }
        return text
    }
}
