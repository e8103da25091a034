// Projects and events that several tests use.

import BulkheadCLI
import ForgeModel
import Foundation
import JobModel
import ProjectModel
import TrustModel
import YAMLDocuments

enum Sample {
    /// The root of the package.
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// What is said of a text: the projects, or the mistakes as they are printed.
    static func read(_ text: String) -> (projects: [Project], problems: [String]) {
        do {
            return (try YAMLSpec.projects(text), [])
        } catch let problems as JobFileProblems {
            return ([], problems.problems.map(\.description))
        } catch {
            return ([], ["unexpected: \(error)"])
        }
    }

    /// A project of what stands in `keys`, indented as in a file.
    static func text(_ keys: String, jobs: String = "[{name: test, image: a, steps: [b]}]") -> String {
        """
        projects:
          - name: shop
            forge: {kind: github}
            repository: {id: 7, path: acme/shop}
        \(keys.isEmpty ? "" : keys + "\n")    jobs: \(jobs)
        """
    }

    static func project(_ keys: String = "", jobs: String = "[{name: test, image: a, steps: [b]}]") throws -> Project {
        let project = try YAMLSpec.projects(text(keys, jobs: jobs)).first
        guard let project else { throw CocoaError(.fileReadUnknown) }
        return project
    }

    static let own = Repository(id: 7, path: "acme/shop")
    static let fork = Repository(id: 8, path: "mallory/shop")
    static let mallory = Account(id: 66, name: "mallory")
    static let alice = Account(id: 1, name: "alice")
    static let revision = PolicyRevision(digest: [1])

    /// `aaaa...`; a test that asks for none has none.
    static func commit(_ digit: Character) -> Commit {
        guard let commit = Commit(String(repeating: digit, count: 40)) else { preconditionFailure("no hex digit") }
        return commit
    }

    static func push(
        _ reference: Reference, before: Commit? = commit("b"), after: Commit? = commit("a"),
        to repository: Repository = own
    ) -> Event {
        .push(Push(repository: repository, reference: reference, before: before, after: after, sender: alice))
    }

    static func change(
        _ action: Change.Action = .opened, from head: Repository? = fork, commit: Commit? = commit("a"),
        to base: String = "main", at baseCommit: Commit? = commit("b"), number: UInt64 = 5,
        in repository: Repository = own,
        author: Account = mallory, sender: Account = mallory
    ) -> Change {
        Change(
            repository: repository, number: number, action: action,
            head: .init(repository: head, branch: "main", commit: commit),
            base: .init(repository: repository, branch: base, commit: baseCommit), author: author, sender: sender,
            isDraft: false)
    }

    static func approval(
        head: Commit = commit("a"), base: Commit = commit("b"), number: UInt64 = 5, project: String = "shop",
        into branch: String = "main", revision: PolicyRevision = revision
    ) -> Approval {
        Approval(
            project: project, number: number, head: head, base: base, branch: branch, revision: revision, by: alice)
    }
}
