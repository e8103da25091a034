// PeopleModels: users and tokens as the API tells them, page after page.

import Foundation

struct RoleAnswer: Codable {
    let project: String
    let role: String
}

struct WhoAmIAnswer: Codable {
    let name: String
    let everywhere: String
    let roles: [RoleAnswer]
}

struct UserList: Codable {
    struct User: Codable {
        let name: String
        let everywhere: String
        let roles: [RoleAnswer]
        let key: String?

        /// nil: none.
        func role(in project: String) -> String? {
            roles.first { $0.project == project }?.role ?? (everywhere == "metrics" ? nil : everywhere)
        }
    }

    var revision: UInt64
    var users: [User]
    var more: Bool?
}

struct TokenList: Codable {
    struct Token: Codable {
        let user: String
        let name: String
        let role: String
        let projects: [String]
        let expiresAt: String?
    }

    var tokens: [Token]
    var more: Bool?
}

extension APIClient {
    func users() async throws -> UserList {
        var list = UserList(revision: 0, users: [])
        var more = true
        while more {
            let query = list.users.last.map { ["after": $0.name] } ?? [:]
            let page = try decoded(UserList.self, try await send(try request("GET", "/users", query: query)))
            list.revision = page.revision
            list.users += page.users
            more = page.more == true && !page.users.isEmpty
        }
        return list
    }

    func tokens(of user: String?) async throws -> TokenList {
        var list = TokenList(tokens: [])
        var more = true
        while more {
            var query: [String: String] = [:]
            query["user"] = user
            query["after"] = list.tokens.last?.name
            let page = try decoded(TokenList.self, try await send(try request("GET", "/tokens", query: query)))
            list.tokens += page.tokens
            more = page.more == true && !page.tokens.isEmpty
        }
        return list
    }
}
