// What is checked in is what the schemas say, and a change that breaks a released version is seen.

import Foundation
import Testing
import WireSchema

@Suite struct WorkspaceTests {
    @Test func theRepositoryIsFresh() throws {
        let problems = try Workspace(root: Repository.root).check()
        #expect(problems.isEmpty, "\(problems.joined(separator: "\n"))")
    }

    @Test(arguments: ["types", "link", "errors", "scheduler", "spawner", "stream", "relay", "runner"])
    func aByteInACommentIsSeen(_ name: String) throws {
        let problems = try afterEditing(name) { "# \n" + $0 }
        #expect(problems.contains { $0.contains("Generated/") && $0.contains("run `make generate`") })
        #expect(!problems.contains { $0.contains("is released") })
    }

    @Test func aChangedBoundIsAChangedRelease() throws {
        let problems = try afterEditing("stream") { $0.replacing("bytes<0..2048>", with: "bytes<0..2049>") }
        #expect(problems.contains { $0.contains("stream 1.0 is released and its messages have changed") })
    }

    @Test func aChangedSharedTypeChangesTheEdgesThatReachIt() throws {
        let problems = try afterEditing("types") {
            $0.replacing("    lost = 10\n", with: "    lost = 10\n    gone = 11\n")
        }
        let edges = problems.filter { $0.contains("is released") }.compactMap { $0.split(separator: ".").first }
        #expect(Set(edges) == ["proto-spec/scheduler", "proto-spec/relay", "proto-spec/runner"])
    }

    static let addition =
        "\ncall Ping = 2 since 1 from client in ready {\n    request {\n    }\n    reply {\n    }\n}\n"

    @Test func aMessageCanBeAddedOnlyWithANewMinorVersion() throws {
        let silent = try afterEditing("stream") { $0 + Self.addition.replacing(" since 1", with: "") }
        #expect(silent.contains { $0.contains("stream 1.0 is released and its messages have changed") })
        let raised = try afterEditing("stream") { $0.replacing("version 1.0", with: "version 1.1") + Self.addition }
        #expect(raised.contains { $0.contains("stream 1.1 is not in versions.lock") })
        #expect(!raised.contains { $0.contains("is released") })
    }

    @Test func lockAddsAndNeverChanges() throws {
        let folder = try Repository.copy()
        defer { try? FileManager.default.removeItem(at: folder) }
        let lock = folder.appendingPathComponent("proto-spec/versions.lock")
        let before = try String(contentsOf: lock, encoding: .utf8)
        try edit(folder, "stream") { $0.replacing("version 1.0", with: "version 1.1") + Self.addition }
        try edit(folder, "spawner") { $0.replacing("text<0..256>", with: "text<0..257>") }
        let added = try Workspace(root: folder).addLocks()
        #expect(added.count == 1 && added[0].hasPrefix("stream 1.1 "))
        let after = try String(contentsOf: lock, encoding: .utf8)
        #expect(after == before + added[0] + "\n")
        _ = try Workspace(root: folder).generate()
        let problems = try Workspace(root: folder).check()
        #expect(problems.count == 1 && problems[0].contains("spawner 1.0 is released"), "\(problems)")
    }

    @Test func aVersionThatGoesBackIsSeen() throws {
        let lock = try VersionLock(text: "stream 1.3 \(String(repeating: "0", count: 64))\n")
        let set = try Workspace(root: Repository.root).set
        #expect(
            lock.problems(set).contains { $0.message.contains("stream 1.3 was released; the schema has gone back") })
    }

    @Test(arguments: ["stream 1.0", "stream 1 abc", "stream x.y \(String(repeating: "0", count: 64))"])
    func aBadLockLineIsNamed(_ line: String) throws {
        let error = #expect(throws: SchemaError.self) { try VersionLock(text: "# comment\n\(line)\n") }
        #expect(error?.line == 2)
    }

    @Test func straysAndMissingFilesAreSeen() throws {
        let folder = try Repository.copy()
        defer { try? FileManager.default.removeItem(at: folder) }
        let generated = folder.appendingPathComponent("Sources/Wire/Wire/Generated")
        try Data("// old\n".utf8).write(to: generated.appendingPathComponent("OldEdge.swift"))
        try FileManager.default.removeItem(at: generated.appendingPathComponent("Types.swift"))
        let problems = try Workspace(root: folder).check()
        #expect(problems.contains { $0.contains("OldEdge.swift: no schema makes this file") })
        #expect(problems.contains { $0.contains("Types.swift: missing") })
        _ = try Workspace(root: folder).generate()
        #expect(try Workspace(root: folder).check().isEmpty)
    }

    @Test func aTableWithoutAnEndIsRefused() throws {
        let set = try Workspace(root: Repository.root).set
        for text in [
            "<!-- wiregen: errors -->\n", "<!-- wiregen: nothing -->\n<!-- wiregen end -->\n", "<!-- wiregen end -->\n",
        ] {
            #expect(throws: SchemaError.self) { try TableGenerator.filled(text, set, file: "README.md") }
        }
        let good = "a\n<!-- wiregen: errors -->\nold\n<!-- wiregen end -->\nb\n"
        let filled = try TableGenerator.filled(good, set, file: "README.md")
        #expect(filled.contains("| 41 | `image_missing` | fix |") && !filled.contains("old") && filled.hasSuffix("b\n"))
        #expect(try TableGenerator.filled(filled, set, file: "README.md") == filled)
    }

    private func afterEditing(_ name: String, _ change: (String) -> String) throws -> [String] {
        let folder = try Repository.copy()
        defer { try? FileManager.default.removeItem(at: folder) }
        try edit(folder, name, change)
        return try Workspace(root: folder).check()
    }

    private func edit(_ folder: URL, _ name: String, _ change: (String) -> String) throws {
        let file = folder.appendingPathComponent("proto-spec/\(name).wire")
        let text = try String(contentsOf: file, encoding: .utf8)
        let changed = change(text)
        #expect(changed != text)
        try Data(changed.utf8).write(to: file)
    }
}
