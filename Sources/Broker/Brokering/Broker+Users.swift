// Users, their roles and their tokens. All of it comes sealed: schedulerd and apid make nobody anybody.

import Daemon
import Link
import Secret
import TrustWire
import Vault
import Wire

extension Broker {
    private static let userPage = 12
    private static let tokenPage = 24
    private static let rolesAtMost = 64

    /// Another user, or another key or access of one. The mark of a new one is now: no order from before counts.
    func set(_ order: SetUserOrder, _ given: borrowing GivenOrder, _ person: Person) throws(Failure) {
        try person.check(.manageUsers)
        try Self.expectNothing(given)
        guard Names.isUser(order.name) else { throw Failure(.invalid, "not a user's name", place: "name") }
        if let key = order.key, content.users.contains(where: { $0.info.key == key && $0.info.name != order.name }) {
            throw Failure(.invalid, "this key is another user's", place: "key")
        }
        let old = content.user(order.name)
        let info = UserInfo(
            name: order.name, key: order.key, everywhere: order.everywhere, projects: old?.info.projects ?? [])
        try change(.userSet, [("user", order.name), ("everywhere", "\(order.everywhere)")], given, person) { next in
            // What is left of one who was removed stays dead.
            if old == nil { next.tokens.removeAll { $0.token.user == order.name } }
            next.users.removeAll { $0.info.name == order.name }
            next.users.append(StoredUser(info: info, mark: old?.mark ?? now()))
        }
    }

    func remove(_ order: RemoveUserOrder, _ given: borrowing GivenOrder, _ person: Person) throws(Failure) {
        try person.check(.manageUsers)
        try Self.expectNothing(given)
        _ = try user(order.name)
        // The tokens stay, dead: whoever comes with one is told why.
        try change(.userRemoved, [("user", order.name)], given, person) { next in
            next.users.removeAll { $0.info.name == order.name }
        }
    }

    func set(_ order: SetRoleOrder, _ given: borrowing GivenOrder, _ person: Person) throws(Failure) {
        try person.check(.setRoles, in: order.project)
        try Self.expectNothing(given)
        guard Names.isProject(order.project) else { throw Failure(.invalid, "not a project's name", place: "project") }
        var projects = try user(order.user).info.projects.filter { $0.project != order.project }
        if order.access > .metrics { projects.append(.init(project: order.project, access: order.access)) }
        guard projects.count <= Self.rolesAtMost else {
            throw Failure(.tooLarge, "a user has roles in \(Self.rolesAtMost) projects at most", place: "project")
        }
        let fields = [("user", order.user), ("project", order.project), ("access", "\(order.access)")]
        try change(.roleSet, fields, given, person) { next in
            for index in next.users.indices where next.users[index].info.name == order.user {
                next.users[index].info.projects = projects.sorted { $0.project < $1.project }
            }
        }
    }

    func set(_ order: SetTokenOrder, _ given: borrowing GivenOrder, _ person: Person) throws(Failure) {
        let token = order.token
        try checkTokens(of: token.user, by: person)
        try Self.expectNothing(given)
        _ = try user(token.user)
        guard Names.isUser(token.name) else { throw Failure(.invalid, "not a token's name", place: "name") }
        guard token.expiresMs == 0 || token.expiresMs > now() else {
            throw Failure(.invalid, "it would have expired", place: "expires")
        }
        let isThere = content.tokens.contains {
            $0.hash == order.hash || ($0.token.user == token.user && $0.token.name == token.name)
        }
        if isThere {
            throw Failure(
                .invalid, "\(token.user) has a token '\(token.name)' already; remove it first, or take another name",
                place: "name")
        }
        let fields = [
            ("user", token.user), ("token", token.name), ("access", "\(token.access)"),
            ("projects", token.projects.joined(separator: ",")), ("expires", "\(token.expiresMs)"),
        ]
        try change(.tokenSet, fields, given, person) { $0.tokens.append(order) }
    }

    func remove(_ order: RemoveTokenOrder, _ given: borrowing GivenOrder, _ person: Person) throws(Failure) {
        try checkTokens(of: order.user, by: person)
        try Self.expectNothing(given)
        guard content.tokens.contains(where: { $0.token.user == order.user && $0.token.name == order.name }) else {
            throw Failure(.notFound, "\(order.user) has no token '\(order.name)'", place: "name")
        }
        try change(.tokenRemoved, [("user", order.user), ("token", order.name)], given, person) { next in
            next.tokens.removeAll { $0.token.user == order.user && $0.token.name == order.name }
        }
    }

    /// One's own, with a token that is not narrowed itself; all others an admin of the house.
    private func checkTokens(of user: String, by person: Person) throws(Failure) {
        let isWhole = person.token.access == .admin && person.token.projects.isEmpty
        if user == person.name && !isWhole {
            throw Failure(
                .deniedByPolicy, "a token that is narrowed makes and removes none; use one with all that you may do",
                place: "token")
        }
        if user != person.name { try person.check(.manageUsers) }
    }

    private func user(_ name: String) throws(Failure) -> StoredUser {
        guard let user = content.user(name) else {
            throw Failure(.notFound, "there is no user '\(name)'; `bulkhead user ls` lists them", place: "user")
        }
        return user
    }

    /// On record first, then in the store.
    private func change(
        _ event: AuditEvent, _ fields: [(String, String)], _ given: borrowing GivenOrder, _ person: Person,
        _ body: (inout StoreContent) -> Void
    ) throws(Failure) {
        var next = content
        body(&next)
        if next.tokens.count > StoreContent.tokenLimit {
            let alive = Set(next.users.map(\.info.name))
            next.tokens.removeAll { !alive.contains($0.token.user) }
        }
        guard next.users.count <= StoreContent.userLimit, next.tokens.count <= StoreContent.tokenLimit else {
            throw Failure(
                .tooLarge, "the house has \(StoreContent.userLimit) users and \(StoreContent.tokenLimit) tokens at most"
            )
        }
        guard next.users.contains(where: { $0.info.everywhere == .admin && $0.info.key != nil }) else {
            throw Failure(.invalid, "nobody would be left who is an admin of the house, with a key", place: "name")
        }
        next.users.sort { $0.info.name < $1.info.name }
        next.tokens.sort { ($0.token.user, $0.token.name) < ($1.token.user, $1.token.name) }
        try record(event, [("by", person.name)] + fields + [("revision", "\(next.revision + 1)")])
        try commit(&next, person, at: given.order.issuedMs)
    }

    // MARK: lists

    func listUsers(_ request: BrokerEdge.ListUsers) throws(Failure) -> BrokerEdge.ListUsers.Reply {
        let person = try person(request.token)
        try person.check(.seeHouse)
        var found: [UserInfo] = []
        for user in content.users.map(\.info) where user.name > request.after {
            var shown = user
            shown.projects = user.projects.filter { person.rights.access(to: $0.project) >= .read }
            // Who may see a project sees who else may; of everybody else there is nothing to be seen.
            let isSeen = !shown.projects.isEmpty || user.everywhere > .metrics && person.rights.visible != []
            if isSeen || user.name == person.name || person.rights.everywhere >= .read { found.append(shown) }
        }
        let page = found.prefix(Self.userPage)
        return .init(revision: content.revision, users: Array(page), more: found.count > page.count)
    }

    func listTokens(_ request: BrokerEdge.ListTokens) throws(Failure) -> BrokerEdge.ListTokens.Reply {
        let person = try person(request.token)
        let user = request.user.isEmpty ? person.name : request.user
        if user != person.name { try person.check(.manageUsers) }
        let found = content.tokens.map(\.token).filter { $0.user == user && $0.name > request.after }
        let page = found.prefix(Self.tokenPage)
        return .init(tokens: Array(page), more: found.count > page.count)
    }
}
