// PeopleAnswers: users, roles and tokens as the API tells them.

import Wire

struct RoleAnswer: Encodable {
    let project: String
    let role: String

    init(_ role: ProjectAccess) {
        project = role.project
        self.role = "\(role.access)"
    }
}

struct WhoAmIAnswer: Encodable {
    let name: String
    /// The role in every project; `metrics`: none.
    let everywhere: String
    let roles: [RoleAnswer]

    init(_ reply: SchedulerEdge.WhoAmI.Reply) {
        (name, everywhere) = (reply.name, "\(reply.everywhere)")
        roles = reply.projects.map(RoleAnswer.init)
    }
}

struct UserPageAnswer: Encodable {
    struct User: Encodable {
        let name: String
        let everywhere: String
        let roles: [RoleAnswer]
        let key: String?

        init(_ user: UserInfo) {
            (name, everywhere, key) = (user.name, "\(user.everywhere)", user.key?.hex)
            roles = user.projects.map(RoleAnswer.init)
        }
    }

    /// Counts the changes of users, tokens, roles, projects and secrets.
    let revision: UInt64
    let users: [User]
    let more: Bool

    init(_ reply: SchedulerEdge.ListUsers.Reply) {
        (revision, more) = (reply.revision, reply.more)
        users = reply.users.map(User.init)
    }
}

struct TokenPageAnswer: Encodable {
    struct Token: Encodable {
        let user: String
        let name: String
        let role: String
        /// Empty: all of the user's.
        let projects: [String]
        /// Absent: never.
        let expiresAt: String?

        init(_ token: TokenInfo) {
            (user, name, role, projects) = (token.user, token.name, "\(token.access)", token.projects)
            expiresAt = token.expiresMs == 0 ? nil : timestamp(token.expiresMs)
        }
    }

    let tokens: [Token]
    let more: Bool

    init(_ reply: SchedulerEdge.ListTokens.Reply) {
        tokens = reply.tokens.map(Token.init)
        more = reply.more
    }
}
