// ProjectReport: what `bulkhead project check --json` says of a file.

import Documents
import Foundation
package import JobModel
package import ProjectModel
import TrustModel

package struct ProjectReport: Encodable {
    struct Checked: Encodable {
        let name: String
        let forge: String
        let repository: String
        let jobs: [String]
        let secrets: [String]
    }

    struct Problem: Encodable {
        let path: String
        let line: Int?
        let column: Int?
        let message: String
    }

    private let projects: [Checked]
    private let problems: [Problem]
    /// Mistakes beyond those that are listed.
    private let more: Int

    package init(_ projects: [Project]) {
        self.projects = projects.map { project in
            Checked(
                name: project.name, forge: project.forge.url, repository: Self.repository(project),
                jobs: project.jobs.map(\.name), secrets: project.secrets.map(\.name))
        }
        problems = []
        more = 0
    }

    package init(_ found: JobFileProblems) {
        projects = []
        problems = found.problems.map {
            Problem(path: $0.path, line: $0.place?.line, column: $0.place?.column, message: $0.message)
        }
        more = found.more
    }

    package var json: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return Terminal.safe(json: String(decoding: try encoder.encode(self), as: UTF8.self))
        }
    }

    /// `shop: acme/shop at https://github.com: 3 jobs: test, lint, deploy`
    static func line(_ project: Project) -> String {
        let names = project.jobs.map { Terminal.printable($0.name) }.joined(separator: ", ")
        return "\(project.name): \(repository(project)) at \(project.forge.url): \(project.whatRuns)"
            + (names.isEmpty ? "" : ": \(names)")
    }

    private static func repository(_ project: Project) -> String {
        project.repository.path ?? project.repository.id.map { "number \($0)" } ?? ""
    }
}

extension Project {
    /// `3 jobs`, `a runner of GitLab CI`, or both.
    var whatRuns: String {
        let count = jobs.count == 1 ? "1 job" : "\(jobs.count) jobs"
        guard runner != nil else { return count }
        return jobs.isEmpty ? "a runner of GitLab CI" : "\(count) and a runner of GitLab CI"
    }
}
