// YAMLSpec: the one place that parses YAML. It runs as the person who wrote it, in the command line; and in courierd,
// which faces hostile bytes anyway, for job files of a repository. No other daemon sees YAML. JSON is YAML, so one
// reader serves both.

package import Documents
package import JobModel
package import ProjectModel
import Yams

package enum YAMLSpec {
    /// Reads a job file's text. Throws `JobFileProblems` for everything that is wrong with it, syntax included.
    package static func jobFile(_ text: String) throws -> JobFile {
        try JobFile.parse(document(text, of: .job)).get()
    }

    /// The same of a file of projects.
    package static func projects(_ text: String) throws -> [Project] {
        try ProjectFile.parse(document(text, of: .projects)).get()
    }

    /// What a document may come to.
    package enum Kind {
        case job
        case projects

        package var values: Int { self == .job ? JobFile.Bounds.values : ProjectFile.Bounds.values }
        package var least: String { self == .job ? "image and steps" : "projects" }
        package var file: String { self == .job ? "job file" : "file of projects" }
        package var rest: String { self == .job ? "what a step needs belongs into --source" : "write several files" }
        package var needs: String { self == .job ? "a job needs fewer" : "write several files" }
    }

    /// A YAML or JSON document with the place of every value.
    package static func document(_ text: String, of kind: Kind) throws -> SpecValue {
        do {
            guard let node = try Yams.compose(yaml: text) else {
                throw problem("is empty; write at least \(kind.least)", at: nil)
            }
            var converter = YAMLConverter(kind)
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
