// All .wire files together: who may name what, and the sizes of encodings.

/// The files of proto-spec, checked.
package struct SchemaSet: Sendable {
    package let types: SchemaFile
    package let link: SchemaFile
    package let errors: SchemaFile
    /// By ascending number.
    package let edges: [SchemaFile]

    /// - Throws: the mistakes of all files, not only the first one's.
    package init(files: [SchemaFile]) throws(SchemaProblems) {
        func only(_ kind: SchemaFile.Kind, _ name: String) -> SchemaFile? {
            files.first { $0.kind == kind && $0.name == name }
        }
        guard let types = only(.types, "types"), let link = only(.link, "link"), let errors = only(.errors, "errors")
        else {
            throw SchemaProblems([SchemaError(file: "proto-spec", line: 0, message: "types, link or errors is missing")]
            )
        }
        self.types = types
        self.link = link
        self.errors = errors
        edges = files.filter { $0.edge != nil }.sorted { ($0.edge?.number ?? 0) < ($1.edge?.number ?? 0) }
        var checker = Checker(set: self)
        checker.run()
        if !checker.problems.isEmpty { throw SchemaProblems(checker.problems) }
    }

    /// Declarations that a file may name: its own, link's, and those it uses.
    package func visible(in file: SchemaFile) -> [String: Declaration] {
        var scope: [String: Declaration] = [:]
        for declaration in link.declarations { scope[declaration.name] = declaration }
        if file.uses.contains("types") || file.kind == .types {
            for declaration in types.declarations { scope[declaration.name] = declaration }
        }
        for declaration in file.declarations { scope[declaration.name] = declaration }
        return scope
    }

    /// The names of the roles, from link.wire's enum Role.
    package var roles: [String] {
        for declaration in link.declarations where declaration.name == "Role" {
            if case .enumeration(_, let cases) = declaration.body { return cases.map(\.name) }
        }
        return []
    }
}

/// One mistake or several.
package struct SchemaProblems: Error, CustomStringConvertible {
    package let problems: [SchemaError]

    package init(_ problems: [SchemaError]) {
        self.problems = problems
    }

    package var description: String { problems.map(\.description).joined(separator: "\n") }
}

/// The least and the most bytes that a value's encoding takes.
package struct EncodedSize: Hashable, Sendable {
    package var least: Int
    package var most: Int

    package init(least: Int, most: Int) {
        self.least = least
        self.most = most
    }

    static func + (a: EncodedSize, b: EncodedSize) -> EncodedSize {
        EncodedSize(least: a.least + b.least, most: a.most + b.most)
    }

    package static func of(_ fields: [Field], in scope: [String: Declaration]) -> EncodedSize {
        fields.reduce(EncodedSize(least: 0, most: 0)) { $0 + of($1.type, in: scope) }
    }

    package static func of(_ type: TypeReference, in scope: [String: Declaration]) -> EncodedSize {
        switch type {
        case .u8, .bool: EncodedSize(least: 1, most: 1)
        case .u16: EncodedSize(least: 2, most: 2)
        case .u32: EncodedSize(least: 4, most: 4)
        case .u64, .i64: EncodedSize(least: 8, most: 8)
        case .fixed(let length): EncodedSize(least: length, most: length)
        case .bytes(let low, let high), .text(let low, let high):
            EncodedSize(least: prefix(high) + low, most: prefix(high) + high)
        case .list(let element, let low, let high): list(of(element, in: scope), low, high)
        case .option(let value): EncodedSize(least: 1, most: 1 + of(value, in: scope).most)
        case .fd: EncodedSize(least: 0, most: 0)
        case .named(let name): of(scope[name], in: scope)
        }
    }

    private static func of(_ declaration: Declaration?, in scope: [String: Declaration]) -> EncodedSize {
        switch declaration?.body {
        case .enumeration(let bytes, _): return EncodedSize(least: bytes, most: bytes)
        case .structure(let fields), .message(_, let fields): return of(fields, in: scope)
        case .union(let cases):
            let sizes = cases.map { of(scope[$0.payload ?? ""], in: scope) }
            let tag = EncodedSize(least: 1, most: 1)
            return tag + EncodedSize(least: sizes.map(\.least).min() ?? 0, most: sizes.map(\.most).max() ?? 0)
        case .operation, nil: return EncodedSize(least: 0, most: 0)
        }
    }

    private static func list(_ element: EncodedSize, _ low: Int, _ high: Int) -> EncodedSize {
        EncodedSize(least: 2 + low * element.least, most: 2 + high * element.most)
    }

    /// Bytes of the length word of bytes and text with this upper bound.
    package static func prefix(_ high: Int) -> Int { high <= 65535 ? 2 : 4 }
}
