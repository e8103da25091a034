// An edge: an enum without cases that holds the edge's constants, its local types and its requests.

extension SwiftGenerator {
    mutating func edge() {
        guard let header = schema.edge else { return }
        let name = SwiftName.type(schema)
        let hash = Canonical.hash(schema, in: set, minor: header.minor)
        let rules = schema.operations.map { "\($0.declaration.name).rule" }
        out.line()
        out.line("/// \(header.client) -> \(header.server), version \(header.major).\(header.minor).")
        out.block("package enum \(name): WireEdge") { out in
            out.line("package static let name = \"\(schema.name)\"")
            out.line("package static let number: UInt8 = \(header.number)")
            out.line("package static let major: UInt16 = \(header.major)")
            out.line("package static let minor: UInt16 = \(header.minor)")
            out.line("package static let frameLimit = \(header.limit)")
            out.line("package static let client = Role.\(SwiftName.plain(header.client))")
            out.line("package static let server = Role.\(SwiftName.plain(header.server))")
            out.line("package static let phases = [\(header.phases.map { "\"\($0)\"" }.joined(separator: ", "))]")
            out.line("package static let schemaHash = \"\(hash)\"")
            out.line("package static let rules = [")
            for rule in rules { out.line("    \(rule),") }
            out.line("]")
        }
        for declaration in schema.declarations {
            out.line()
            if case .operation(let operation) = declaration.body {
                self.operation(declaration, operation, header)
            } else {
                path = name
                nested(name) { $0.type(declaration) }
            }
        }
    }

    private mutating func operation(_ declaration: Declaration, _ operation: Operation, _ header: EdgeHeader) {
        let edge = SwiftName.type(schema)
        let name = declaration.name
        let answer = operation.isStream ? "Item" : "Reply"
        let rule = Self.rule(name, operation, header)
        nested(edge) { generator in
            generator.path = edge
            generator.out.documentation(declaration.documentation)
            let parts = generator.nestedStructure(answer, operation.answer, path: edge + "." + name)
            generator.structure(name, operation.isStream ? "WireStream" : "WireCall", operation.request, after: parts) {
                out in
                out.line("package typealias Edge = \(edge)")
                out.call("package static let rule = MessageRule", rule)
                out.line()
            }
        }
        path = ""
    }

    /// The lines of a struct that stands inside another.
    private func nestedStructure(_ name: String, _ fields: [Field], path: String) -> [String] {
        var inner = self
        inner.out = SourceText()
        inner.path = path
        inner.structure(name, "WireMessage", fields)
        return inner.out.lines
    }

    private mutating func nested(_ type: String, _ body: (inout SwiftGenerator) -> Void) {
        var inner = self
        inner.out = SourceText()
        body(&inner)
        out.block("extension \(type)") { out in
            for line in inner.out.lines { out.line(line) }
        }
    }

    private static func rule(_ name: String, _ operation: Operation, _ header: EdgeHeader) -> [String] {
        func index(_ phase: String) -> String { String(header.phases.firstIndex(of: phase) ?? 0) }
        var arguments = ["type: \(operation.number)", "name: \"\(name)\"", "from: .\(operation.from)"]
        arguments.append("phases: [\(operation.phases.map(index).joined(separator: ", "))]")
        if let next = operation.next { arguments.append("next: \(index(next))") }
        if operation.isStream { arguments.append("isStream: true") }
        if operation.since > 0 { arguments.append("since: \(operation.since)") }
        let answer = operation.isStream ? "itemFDs" : "replyFDs"
        for (label, fields) in [("requestFDs", operation.request), (answer, operation.answer)] {
            let kinds = fields.compactMap { field in
                if case .fd(let kind) = field.type { "." + SwiftName.plain(kind) } else { nil }
            }
            if !kinds.isEmpty { arguments.append("\(label): [\(kinds.joined(separator: ", "))]") }
        }
        return arguments
    }
}
