// YAMLSpec: the one place that parses YAML, and it runs as the person who wrote it: daemons never see YAML.
// JSON is YAML, so one reader serves both.

import Documents
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
            var converter = YAMLConverter()
            return try converter.value(node, depth: 0)
        } catch let error as YamlError {
            throw syntaxProblem(error)
        }
    }

    static func problem(_ message: String, at place: Place?, path: String = "") -> JobFileProblems {
        JobFileProblems(problems: [JobFileProblem(path: path, place: place, message: message)])
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
