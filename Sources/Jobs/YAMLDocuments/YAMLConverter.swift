// YAMLConverter: from the nodes that Yams composes to a SpecValue. An alias is a second name of a node there and costs
// nothing; here it becomes a copy of all below it. Aliases of aliases make a file of ten lines a document of a billion
// values, so what is copied is counted.

import Documents
import JobModel
import Yams

struct YAMLConverter {
    private let kind: YAMLSpec.Kind
    private var valuesLeft: Int
    /// The key of the document's own map that is being converted.
    private var section: (key: String, place: Place?)?

    init(_ kind: YAMLSpec.Kind) {
        self.kind = kind
        valuesLeft = kind.values
    }

    mutating func value(_ node: Node, depth: Int) throws -> SpecValue {
        let place = Self.place(node)
        guard valuesLeft > 0 else {
            throw YAMLSpec.problem(
                "here the file comes to more than \(kind.values) values, those behind an alias "
                    + "counted each time that it is used; \(kind.needs)", at: section?.place ?? place,
                path: section?.key ?? "")
        }
        valuesLeft -= 1
        switch node {
        case .scalar(let scalar): return SpecValue(Self.content(of: node, scalar), place: place)
        case .sequence(let sequence):
            try checkDepth(depth, place)
            return SpecValue(.list(try sequence.map { try value($0, depth: depth + 1) }), place: place)
        case .mapping(let mapping):
            try checkDepth(depth, place)
            return SpecValue(.map(try mapping.map { try entry($0, $1, depth: depth) }), place: place)
        case .alias:
            throw YAMLSpec.problem("is an alias that points nowhere", at: place)
        }
    }

    private mutating func entry(_ key: Node, _ item: Node, depth: Int) throws -> SpecValue.Entry {
        let (name, place) = (key.scalar?.string ?? "?", Self.place(key))
        if depth == 0 { section = (name, place) }
        return SpecValue.Entry(key: name, place: place, value: try value(item, depth: depth + 1))
    }

    private func checkDepth(_ depth: Int, _ place: Place?) throws {
        guard depth >= JobFile.Bounds.depth else { return }
        throw YAMLSpec.problem("is nested more than \(JobFile.Bounds.depth) deep", at: place)
    }

    private static func place(_ node: Node) -> Place? {
        node.mark.map { Place(line: $0.line, column: $0.column) }
    }

    private static func content(of node: Node, _ scalar: Node.Scalar) -> SpecValue.Content {
        switch node.tag.description {
        case Tag.Name.null.rawValue: .null
        case Tag.Name.bool.rawValue: node.bool.map(SpecValue.Content.bool) ?? .string(scalar.string)
        case Tag.Name.int.rawValue: Int64(scalar.string).map(SpecValue.Content.integer) ?? .string(scalar.string)
        case Tag.Name.float.rawValue: Double(scalar.string).map(SpecValue.Content.float) ?? .string(scalar.string)
        default: .string(scalar.string)
        }
    }
}
