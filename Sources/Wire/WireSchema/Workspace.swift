// The files of the repository that wiregen reads and writes. The only place of WireSchema that touches a disk.

package import Foundation

/// A checkout, by its root folder.
package struct Workspace {
    package let root: URL
    package let set: SchemaSet
    package let lock: VersionLock

    static let generated = "Sources/Wire/Wire/Generated"
    static let catalogue = "Tests/WireTests/Generated/Catalogue.swift"
    static let readme = "proto-spec/README.md"
    static let lockFile = "proto-spec/versions.lock"

    /// Reads and checks proto-spec. Throws SchemaProblems with all mistakes, or what Foundation says about the files.
    package init(root: URL) throws {
        self.root = root
        let folder = root.appendingPathComponent("proto-spec")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        var files: [SchemaFile] = []
        var problems: [SchemaError] = []
        for name in names.sorted() where name.hasSuffix(".wire") {
            let bytes = [UInt8](try Data(contentsOf: folder.appendingPathComponent(name)))
            do {
                files.append(try Parser.parse(name: String(name.dropLast(5)), bytes: bytes))
            } catch {
                problems.append(error)
            }
        }
        if !problems.isEmpty { throw SchemaProblems(problems) }
        set = try SchemaSet(files: files)
        let text = try? String(contentsOf: root.appendingPathComponent(Self.lockFile), encoding: .utf8)
        lock = try VersionLock(text: text ?? "")
    }

    /// Relative path to contents, of everything that is generated.
    package func outputs() throws -> [String: String] {
        var outputs: [String: String] = [:]
        for (name, text) in SwiftGenerator.files(set) { outputs["\(Self.generated)/\(name)"] = text }
        outputs[Self.catalogue] = CatalogueGenerator.text(set)
        if let readme = read(Self.readme) {
            outputs[Self.readme] = try TableGenerator.filled(readme, set, file: Self.readme)
        }
        return outputs
    }

    /// Writes what has changed; removes generated Swift that no schema makes. Returns the paths.
    package func generate() throws -> [String] {
        let outputs = try outputs()
        var changed: [String] = []
        for (path, text) in outputs.sorted(by: { $0.key < $1.key }) where read(path) != text {
            let url = root.appendingPathComponent(path)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: url)
            changed.append(path)
        }
        for path in strays(outputs) {
            try FileManager.default.removeItem(at: root.appendingPathComponent(path))
            changed.append(path)
        }
        return changed
    }

    /// One line for everything that is not as the schemas say: stale output, output of no schema, broken locks.
    package func check() throws -> [String] {
        let outputs = try outputs()
        var problems: [String] = []
        for (path, text) in outputs.sorted(by: { $0.key < $1.key }) {
            guard let found = read(path) else {
                problems.append("\(path): missing; run `make generate`")
                continue
            }
            if found != text {
                problems.append(
                    "\(path):\(Self.firstDifference(found, text)): not what proto-spec says; run `make generate`")
            }
        }
        problems += strays(outputs).map { "\($0): no schema makes this file; run `make generate`" }
        return problems + lock.problems(set).map { "proto-spec/\($0)" }
    }

    /// Adds the versions that are not locked yet; returns the lines added.
    package func addLocks() throws -> [String] {
        let additions = lock.additions(set)
        if additions.isEmpty { return [] }
        let old =
            read(Self.lockFile) ?? "# edge, version, SHA-256 of the canonical schema. Lines are added, never changed.\n"
        let text = old + additions.joined(separator: "\n") + "\n"
        try Data(text.utf8).write(to: root.appendingPathComponent(Self.lockFile))
        return additions
    }

    private func strays(_ outputs: [String: String]) -> [String] {
        let names =
            (try? FileManager.default.contentsOfDirectory(atPath: root.appendingPathComponent(Self.generated).path))
            ?? []
        return names.sorted().map { "\(Self.generated)/\($0)" }.filter { $0.hasSuffix(".swift") && outputs[$0] == nil }
    }

    private func read(_ path: String) -> String? {
        guard let data = try? Data(contentsOf: root.appendingPathComponent(path)) else { return nil }
        return String(decoding: data, as: UTF8.self)
    }

    private static func firstDifference(_ a: String, _ b: String) -> Int {
        let pairs = zip(
            a.split(separator: "\n", omittingEmptySubsequences: false),
            b.split(separator: "\n", omittingEmptySubsequences: false))
        return pairs.prefix { $0.0 == $0.1 }.reduce(1) { line, _ in line + 1 }
    }
}
