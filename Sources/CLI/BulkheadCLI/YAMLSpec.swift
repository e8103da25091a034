// YAMLSpec: the one place that parses YAML, and it runs as the person who wrote it: daemons never see YAML.
// JSON is YAML, so one reader serves both.

import Foundation
package import JobModel
import Yams

package enum YAMLSpec {
    /// Reads a job file's text. Throws `JobFileProblems` for everything that is wrong with it, syntax included.
    package static func jobFile(_ text: String) throws -> JobFile {
        try JobFile.parse(document(text)).get()
    }

    /// A YAML or JSON document with the place of every value.
    static func document(_ text: String) throws -> SpecValue {
        do {
            guard let node = try Yams.compose(yaml: text) else {
                throw problem("is empty; write at least image and steps", at: nil)
            }
            return try value(node, depth: 0)
        } catch let error as YamlError {
            throw syntaxProblem(error)
        }
    }

    private static func value(_ node: Node, depth: Int) throws -> SpecValue {
        let place = node.mark.map { Place(line: $0.line, column: $0.column) }
        guard depth < 32 else { throw problem("is nested too deeply", at: place) }
        switch node {
        case .scalar(let scalar):
            return SpecValue(content(of: node, scalar), place: place)
        case .sequence(let sequence):
            return SpecValue(.list(try sequence.map { try value($0, depth: depth + 1) }), place: place)
        case .mapping(let mapping):
            let entries = try mapping.map { key, item in
                SpecValue.Entry(
                    key: key.scalar?.string ?? "?", place: key.mark.map { Place(line: $0.line, column: $0.column) },
                    value: try value(item, depth: depth + 1))
            }
            return SpecValue(.map(entries), place: place)
        case .alias:
            throw problem("is an alias that points nowhere", at: place)
        }
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

    private static func problem(_ message: String, at place: Place?) -> JobFileProblems {
        JobFileProblems(problems: [JobFileProblem(path: "", place: place, message: message)])
    }

    private static func syntaxProblem(_ error: YamlError) -> JobFileProblems {
        switch error {
        case .scanner(_, let what, let mark, _), .parser(_, let what, let mark, _), .composer(_, let what, let mark, _):
            problem("not valid YAML: \(what)", at: Place(line: mark.line, column: mark.column))
        case .duplicatedKeysInMapping(let keys, let context):
            problem(
                "\(keys.joined(separator: ", ")) is given twice; keep one",
                at: Place(line: context.mark.line, column: context.mark.column))
        default:
            problem("not valid YAML: \(error)", at: nil)
        }
    }
}
