// Every role and every scope of a token against everything that can be asked, by the rules as people say them.

import Foundation
import Testing
import TrustWire
import Wire

/// A user, one of their tokens, and what is asked of project "it".
struct RolesCase: Hashable {
    var everywhere: Access
    var inIt: Access
    var elsewhere: Access
    var token: Access
    var scope: [String]
    var action: Action

    var rights: Rights {
        let roles = [("it", inIt), ("other", elsewhere)].filter { $0.1 > .metrics }
        let user = UserInfo(
            name: "alice", key: nil, everywhere: everywhere,
            projects: roles.map { ProjectAccess(project: $0.0, access: $0.1) })
        let info = TokenInfo(user: "alice", name: "t", access: token, projects: scope, expiresMs: 0)
        return Rights(user, within: info)
    }

    static let all: [RolesCase] = Access.allCases.flatMap { everywhere in
        Access.allCases.flatMap { inIt in
            Access.allCases.flatMap { elsewhere in
                Access.allCases.flatMap { token in
                    [[], ["it"], ["other"], ["it", "third"]].flatMap { scope in
                        Action.allCases.map {
                            RolesCase(
                                everywhere: everywhere, inIt: inIt, elsewhere: elsewhere, token: token, scope: scope,
                                action: $0)
                        }
                    }
                }
            }
        }
    }
}

@Suite struct RolesTests {
    /// As a person would say it, in other words than the function's.
    private static let ofProject: [Action: Int] = [
        .seeJobs: 1, .seeDeliveries: 1, .seeProject: 1, .submit: 2, .cancel: 2, .approve: 2, .setSecrets: 3,
        .applyProject: 3, .setRoles: 3,
    ]
    private static let ofHouse: [Action: Int] = [.seePools: 1, .keepRunners: 2, .drain: 3, .manageUsers: 3, .rotate: 3]

    private static func level(_ access: Access) -> Int {
        switch access {
        case .metrics: 0
        case .read: 1
        case .write: 2
        case .admin: 3
        }
    }

    @Test func everyCase() {
        #expect(Set(RolesCase.all).count == 4 * 4 * 4 * 4 * 4 * 16)
        for row in RolesCase.all {
            let cap = Self.level(row.token)
            func reach(_ project: String, _ role: Access) -> Int {
                let has = max(Self.level(role), Self.level(row.everywhere))
                return row.scope.isEmpty || row.scope.contains(project) ? min(has, cap) : 0
            }
            let here = reach("it", row.inIt)
            let most = max(here, reach("other", row.elsewhere), reach("third", .metrics))
            let house = row.scope.isEmpty ? min(Self.level(row.everywhere), cap) : 0
            let expected: String
            if let needed = Self.ofProject[row.action] {
                expected = here >= needed ? "yes" : here == 0 ? "not there" : "no"
            } else if let needed = Self.ofHouse[row.action] {
                expected = house >= needed ? "yes" : "no"
            } else {
                expected = row.action == .seeHouse || most >= 2 ? "yes" : "no"
            }
            let refusal = row.rights.refusal(of: row.action, in: "it")
            #expect(RolesPage.cell(refusal) == expected, "\(row)")
        }
    }

    /// A token never may what its user may not.
    @Test func noTokenIsMoreThanItsUser() {
        for row in RolesCase.all where row.rights.refusal(of: row.action, in: "it") == nil {
            var whole = row
            (whole.token, whole.scope) = (.admin, [])
            #expect(whole.rights.refusal(of: row.action, in: "it") == nil, "\(row)")
        }
    }

    /// A list shows what can be asked for one by one.
    @Test func listsShowWhatMayBeSeen() {
        for row in RolesCase.all where row.action == .seeJobs {
            let isListed = row.rights.visible?.contains("it") ?? true
            #expect(isListed == (row.rights.refusal(of: .seeJobs, in: "it") == nil), "\(row)")
        }
    }

    /// Who may see nothing of a project hears the same whether there is one or not; who sees it hears what to do.
    @Test func refusalsSayWhatToDo() throws {
        let reader = Rights(everywhere: .metrics, projects: [.init(project: "shop", access: .read)])
        let denied = try #require(reader.refusal(of: .submit, in: "shop"))
        #expect(denied.code == ErrorCode.deniedByPolicy.rawValue)
        #expect(denied.text.hasPrefix("you have read in project shop, and this needs write; ask one of its admins"))
        let hidden = try #require(reader.refusal(of: .submit, in: "secret-project"))
        #expect(hidden == .noProject("secret-project"))
        #expect(reader.refusal(of: .submit, in: String(repeating: "a", count: 64)) != nil)
    }

    @Test func thePageIsTheFunction() throws {
        let url = Sample.root.appending(path: "docs/roles.md")
        if ProcessInfo.processInfo.environment["BULKHEAD_WRITE_DOCS"] != nil {
            try RolesPage.text.write(to: url, atomically: true, encoding: .utf8)
        }
        #expect(
            try String(contentsOf: url, encoding: .utf8) == RolesPage.text,
            "docs/roles.md is another; BULKHEAD_WRITE_DOCS=1 in this test's environment writes it")
    }
}
