// RolesPage: docs/roles.md, out of the function that decides.

import TrustWire
import Wire

enum RolesPage {
    /// Whoever asks, as the columns of the page name them.
    static let columns: [(title: String, rights: Rights)] =
        [("no role", Rights(everywhere: .metrics, projects: []))]
        + [Access.read, .write, .admin].map { access in
            ("\(access) in it", Rights(everywhere: .metrics, projects: [.init(project: "it", access: access)]))
        }
        + [Access.read, .write, .admin].map { ("\($0) in all", Rights(everywhere: $0, projects: [])) }

    static var text: String {
        let head = ["who may"] + columns.map(\.title)
        let rows = Action.allCases.map { action in
            [action.rawValue] + columns.map { cell($0.rights.refusal(of: action, in: "it")) }
        }
        let lines = ([head, head.map { _ in "---" }] + rows).map { "| \($0.joined(separator: " | ")) |" }
        return """
            # The table of roles

            Made from `Rights.refusal`, the function that decides in brokerd and in schedulerd, by the test that
            compares this page with it (`RolesTests`). *It* is the project that a request is about. *Not there*: the
            answer is that of a project or a job that does not exist; and lists leave out what one may not see. An admin
            in all projects is an admin of the house.

            A token may do what its user may at that moment, but no more than its role (`metrics`: as with no role), and
            in no other projects than it names, if it names some: with these it may do nothing in *all*. Tokens of their
            own all users with a key make and remove, by a token that is not narrowed. What is sealed (secrets,
            projects, roles, users, tokens, jobs with secrets, approvals, the master key) takes the user's own key as
            well, and brokerd alone decides about it.

            \(lines.joined(separator: "\n"))

            """
    }

    static func cell(_ refusal: Failure?) -> String {
        guard let refusal else { return "yes" }
        return refusal.code == ErrorCode.notFound.rawValue ? "not there" : "no"
    }
}
