// The canonical text of an edge's released version, and its hash. Two schemas with the same canonical text put the
// same bytes on the wire; a comment or a line break changes nothing here.

/// See GRAMMAR.md, "The canonical hash".
package enum Canonical {
    /// The text for the messages of minor versions up to `minor`: first line the edge, then one line for each
    /// declaration that these messages reach, sorted by name, then one for each message, by number.
    package static func text(_ edge: SchemaFile, in set: SchemaSet, minor: UInt64) -> String {
        guard let header = edge.edge else { return "" }
        let scope = set.visible(in: edge)
        let messages = edge.operations.filter { $0.operation.since <= minor }.map(\.declaration)
        let control = set.link.declarations.filter { if case .message = $0.body { true } else { false } }
        var reached: Set<String> = []
        for declaration in control + messages { reach(declaration, scope, &reached) }
        var lines = [
            "edge \(edge.name) \(header.number) \(header.major).\(minor) limit \(header.limit) client \(header.client) "
                + "server \(header.server) phases \(header.phases.joined(separator: " "))"
        ]
        lines += reached.sorted().compactMap { scope[$0]?.canonical }
        lines += (control + messages).map(\.canonical)
        return lines.joined(separator: "\n") + "\n"
    }

    /// SHA-256 of the canonical text, hex.
    package static func hash(_ edge: SchemaFile, in set: SchemaSet, minor: UInt64) -> String {
        Parser.sha256(text(edge, in: set, minor: minor).utf8)
    }

    /// The declared names that a declaration mentions.
    static func names(in declaration: Declaration) -> Set<String> {
        switch declaration.body {
        case .enumeration: []
        case .structure(let fields), .message(_, let fields): names(in: fields)
        case .union(let cases): Set(cases.compactMap(\.payload))
        case .operation(let operation): names(in: operation.request + operation.answer)
        }
    }

    private static func names(in fields: [Field]) -> Set<String> {
        Set(fields.compactMap { name(in: $0.type) })
    }

    private static func name(in type: TypeReference) -> String? {
        switch type {
        case .named(let name): name
        case .list(let element, _, _): name(in: element)
        case .option(let value): name(in: value)
        default: nil
        }
    }

    private static func reach(
        _ declaration: Declaration, _ scope: [String: Declaration], _ reached: inout Set<String>
    ) {
        for name in names(in: declaration) where reached.insert(name).inserted {
            if let next = scope[name] { reach(next, scope, &reached) }
        }
    }
}
