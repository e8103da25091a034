// Writes the tables of proto-spec/README.md between their markers:
//
//   <!-- wiregen: NAME -->  ...  <!-- wiregen end -->
//
// NAME is `errors`, `link`, `types` or an edge.

package enum TableGenerator {
    /// The document with every marked part written anew.
    package static func filled(_ document: String, _ set: SchemaSet, file: String) throws(SchemaError) -> String {
        var out: [String] = []
        var open: (name: String, line: Int)?
        for (index, line) in document.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if line == "<!-- wiregen end -->" {
                guard open != nil else {
                    throw SchemaError(file: file, line: index + 1, message: "an end without a beginning")
                }
                open = nil
            }
            if open == nil { out.append(String(line)) }
            if line.hasPrefix("<!-- wiregen: "), line.hasSuffix(" -->"), open == nil {
                let name = String(line.dropFirst(14).dropLast(4))
                guard let table = table(name, set) else {
                    throw SchemaError(file: file, line: index + 1, message: "there is no schema \(name)")
                }
                out += table
                open = (name, index + 1)
            }
        }
        if let open { throw SchemaError(file: file, line: open.line, message: "\(open.name) has no end marker") }
        return out.joined(separator: "\n")
    }

    private static func table(_ name: String, _ set: SchemaSet) -> [String]? {
        switch name {
        case "errors": return errors(set)
        case "types": return shared(set.types, set)
        case "link": return shared(set.link, set)
        default:
            guard let edge = set.edges.first(where: { $0.name == name }), let header = edge.edge else { return nil }
            return self.edge(edge, header, set)
        }
    }

    private static func errors(_ set: SchemaSet) -> [String] {
        var rows = ["", "| code | name | retry | meaning |", "|---|---|---|---|"]
        for entry in set.errors.errors.sorted(by: { $0.code < $1.code }) {
            rows.append("| \(entry.code) | `\(entry.name)` | \(entry.retry) | \(entry.text) |")
        }
        return rows + [""]
    }

    private static func shared(_ file: SchemaFile, _ set: SchemaSet) -> [String] {
        let scope = set.visible(in: file)
        return [""] + file.declarations.flatMap { declaration($0, scope) }
    }

    private static func edge(_ edge: SchemaFile, _ header: EdgeHeader, _ set: SchemaSet) -> [String] {
        let scope = set.visible(in: edge)
        var rows = [
            "",
            "Edge \(header.number), version \(header.major).\(header.minor), \(header.client) (client) to "
                + "\(header.server) (server), frames up to \(header.limit) bytes, "
                + "phases: \(header.phases.joined(separator: ", ")).",
        ]
        rows += [
            "", "| type | message | from | phase | descriptors | request bytes | answer bytes |",
            "|---|---|---|---|---|---|---|",
        ]
        for (declaration, operation) in edge.operations {
            let phase = operation.phases.joined(separator: ", ") + (operation.next.map { " -> " + $0 } ?? "")
            let fds =
                descriptors(operation.request, "request")
                + descriptors(operation.answer, operation.isStream ? "item" : "reply")
            rows.append(
                "| \(operation.number) | \(operation.isStream ? "stream" : "call") \(declaration.name) "
                    + "| \(operation.from) | \(phase) | "
                    + "\(fds.joined(separator: ", ")) | \(size(operation.request, scope, header)) | "
                    + "\(size(operation.answer, scope, header)) |")
        }
        rows.append("")
        return rows + edge.declarations.flatMap { declaration($0, scope) }
    }

    private static func descriptors(_ fields: [Field], _ frame: String) -> [String] {
        fields.compactMap { field in
            if case .fd(let kind) = field.type { "\(frame): \(kind)" } else { nil }
        }
    }

    /// Least and most bytes of a body; what the edge's limit leaves where the fields could take more.
    private static func size(_ fields: [Field], _ scope: [String: Declaration], _ header: EdgeHeader) -> String {
        let size = EncodedSize.of(fields, in: scope)
        let most = min(size.most, Int(header.limit) - 16)
        return size.least == most ? "\(most)" : "\(size.least)..\(most)"
    }

    private static func declaration(_ declaration: Declaration, _ scope: [String: Declaration]) -> [String] {
        var rows = [
            "**\(declaration.name)**"
                + (declaration.documentation.isEmpty ? "" : " - " + declaration.documentation.joined(separator: " ")),
            "",
        ]
        switch declaration.body {
        case .enumeration(let bytes, let cases):
            rows += ["| u\(bytes * 8) | case |", "|---|---|"]
            rows += cases.map { "| \($0.value) | \($0.name) |" }
        case .union(let cases):
            rows += ["| tag u8 | case | fields of |", "|---|---|---|"]
            rows += cases.map { "| \($0.value) | \($0.name) | \($0.payload ?? "") |" }
        case .structure(let fields):
            rows += self.fields([("", fields)], scope)
        case .message(_, let fields):
            rows += self.fields([("", fields)], scope)
        case .operation(let operation):
            rows += self.fields(
                [("request", operation.request), (operation.isStream ? "item" : "reply", operation.answer)], scope)
        }
        return rows + [""]
    }

    private static func fields(_ frames: [(String, [Field])], _ scope: [String: Declaration]) -> [String] {
        var rows = ["| frame | field | type | bytes |", "|---|---|---|---|"]
        for (frame, fields) in frames {
            if fields.isEmpty { rows.append("| \(frame) | (empty) | | 0 |") }
            for field in fields {
                let size = EncodedSize.of(field.type, in: scope)
                let bytes = size.least == size.most ? "\(size.most)" : "\(size.least)..\(size.most)"
                rows.append("| \(frame) | \(field.name) | `\(spelling(field.type))` | \(bytes) |")
            }
        }
        return rows
    }

    private static func spelling(_ type: TypeReference) -> String {
        switch type {
        case .u8: "u8"
        case .u16: "u16"
        case .u32: "u32"
        case .u64: "u64"
        case .i64: "i64"
        case .bool: "bool"
        case .fixed(let length): "bytes[\(length)]"
        case .bytes(let low, let high): "bytes<\(low)..\(high)>"
        case .text(let low, let high): "text<\(low)..\(high)>"
        case .list(let element, let low, let high): "list<\(spelling(element))><\(low)..\(high)>"
        case .option(let value): "option<\(spelling(value))>"
        case .fd(let kind): "fd<\(kind)>"
        case .named(let name): name
        }
    }
}
