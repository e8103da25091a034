// proto-spec/versions.lock: the hash of every released version. A released message never changes: this file proves it.

/// Lines of `edge major.minor sha256`; `#` begins a comment.
package struct VersionLock {
    package struct Entry: Hashable, Sendable {
        package let edge: String
        package let major: UInt64
        package let minor: UInt64
        package let hash: String
        package let line: Int
    }

    package static let file = "versions.lock"
    package private(set) var entries: [Entry] = []

    package init(text: String) throws(SchemaError) {
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let words = line.prefix { $0 != "#" }.split(separator: " ").map(String.init)
            if words.isEmpty { continue }
            let version = words.count == 3 ? words[1].split(separator: ".").compactMap { UInt64($0) } : []
            guard version.count == 2, words[2].utf8.count == 64 else {
                throw SchemaError(file: Self.file, line: index + 1, message: "expected: edge major.minor sha256")
            }
            entries.append(
                Entry(edge: words[0], major: version[0], minor: version[1], hash: words[2], line: index + 1))
        }
    }

    /// Locked versions that the schemas no longer have as they were released.
    package func changed(_ set: SchemaSet) -> [SchemaError] {
        var problems: [SchemaError] = []
        for schema in set.edges {
            guard let header = schema.edge else { continue }
            for entry in entries where entry.edge == schema.name && entry.major == header.major {
                if entry.minor > header.minor {
                    problems.append(problem(schema, header, "\(name(entry)) was released; the schema has gone back"))
                } else if Canonical.hash(schema, in: set, minor: entry.minor) != entry.hash {
                    let place = "versions.lock:\(entry.line)"
                    let what = "\(name(entry)) is released and its messages have changed (\(place)); "
                    let mend = "add a message with `since` and raise the minor version, or raise the major version"
                    problems.append(problem(schema, header, what + mend))
                }
            }
        }
        return problems
    }

    /// What is wrong with the schemas in the light of the lock: `changed`, and versions that are not locked.
    package func problems(_ set: SchemaSet) -> [SchemaError] {
        let unlocked = set.edges.compactMap { schema -> SchemaError? in
            guard let header = schema.edge, !isLocked(schema, header) else { return nil }
            let version = "\(schema.name) \(header.major).\(header.minor)"
            return problem(schema, header, "\(version) is not in versions.lock; run `wiregen lock`")
        }
        return changed(set) + unlocked
    }

    /// The lines for the versions that are not locked yet. Never changes one that is.
    package func additions(_ set: SchemaSet) -> [String] {
        set.edges.compactMap { schema in
            guard let header = schema.edge, !isLocked(schema, header) else { return nil }
            let hash = Canonical.hash(schema, in: set, minor: header.minor)
            return "\(schema.name) \(header.major).\(header.minor) \(hash)"
        }
    }

    private func isLocked(_ schema: SchemaFile, _ header: EdgeHeader) -> Bool {
        entries.contains { $0.edge == schema.name && $0.major == header.major && $0.minor == header.minor }
    }

    private func name(_ entry: Entry) -> String { "\(entry.edge) \(entry.major).\(entry.minor)" }

    private func problem(_ schema: SchemaFile, _ header: EdgeHeader, _ message: String) -> SchemaError {
        SchemaError(file: schema.fileName, line: header.line, message: message)
    }
}
