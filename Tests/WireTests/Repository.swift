// Where the checkout is, and small schemas for tests that need one of their own.

import Foundation
import Testing
import WireSchema

enum Repository {
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static let vectors = root.appendingPathComponent("proto-spec/vectors")

    static func wire(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: root.appendingPathComponent("proto-spec/\(name).wire")))
    }

    /// The repository's link.wire and errors.wire with these texts as types.wire and as an edge called `test`.
    static func schema(edge: String, types: String = "types\n") throws -> SchemaSet {
        try SchemaSet(files: [
            try Parser.parse(name: "types", bytes: Array(types.utf8)),
            try Parser.parse(name: "link", bytes: try wire("link")),
            try Parser.parse(name: "errors", bytes: try wire("errors")),
            try Parser.parse(name: "test", bytes: Array(edge.utf8)),
        ])
    }

    /// An edge's head; declarations follow from line 9.
    static let head = """
        edge test {
            number 9
            version 1.0
            limit 65536
            client apid
            server relayd
            phases attached working
        }

        """

    /// A writable copy of everything that wiregen reads and writes. The caller removes it.
    static func copy() throws -> URL {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("wire-\(UUID().uuidString)")
        let parts = ["proto-spec", "Sources/Wire/Wire/Generated", "Tests/WireTests/Generated"]
        for part in parts {
            let target = folder.appendingPathComponent(part)
            try FileManager.default.createDirectory(at: target, withIntermediateDirectories: true)
            let source = root.appendingPathComponent(part)
            for name in try FileManager.default.contentsOfDirectory(atPath: source.path) where name != "vectors" {
                let from = source.appendingPathComponent(name)
                try FileManager.default.copyItem(at: from, to: target.appendingPathComponent(name))
            }
        }
        return folder
    }
}

/// One line of a table of bad schemas.
struct BadSchema: CustomTestStringConvertible, Sendable {
    let text: String
    let line: Int
    let message: String

    init(_ text: String, _ line: Int, _ message: String) {
        self.text = text
        self.line = line
        self.message = message
    }

    var testDescription: String { message }
}
