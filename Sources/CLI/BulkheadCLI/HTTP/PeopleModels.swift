// PeopleModels: users and tokens as the API tells them, page after page.

import Foundation
import TrustWire
import Wire

struct RoleAnswer: Codable {
    let project: String
    let role: String
}

struct WhoAmIAnswer: Codable {
    let name: String
    let everywhere: String
    let roles: [RoleAnswer]
}

package struct UserList: Codable {
    package struct User: Codable {
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

package struct TokenList: Codable {
    package struct Token: Codable {
        let user: String
        let name: String
        let role: String
        let projects: [String]
        let expiresAt: String?

        /// The most that it may do: `all` that its user may, `read in shop`.
        package var scope: String {
            (role == "admin" ? "all" : role) + (projects.isEmpty ? "" : " in \(projects.joined(separator: ", "))")
        }

        /// What it may do now, as its house decides it: `admin`, `read shop:write`.
        package func role(of owner: UserList.User) -> String {
            let info = UserInfo(
                name: user, key: nil, everywhere: Access(owner.everywhere),
                projects: owner.roles.map { ProjectAccess(project: $0.project, access: Access($0.role)) })
            let token = TokenInfo(
                user: user, name: name, access: Access(role), projects: projects, expiresMs: 0)
            let rights = Rights(info, within: token)
            let roles = rights.projects.filter { $0.access > rights.everywhere }.map { "\($0.project):\($0.access)" }
            let everywhere = rights.everywhere == .metrics && !roles.isEmpty ? [] : ["\(rights.everywhere)"]
            return (everywhere + roles).joined(separator: " ")
        }
    }

    var tokens: [Token]
    var more: Bool?
}

extension Access {
    /// As the API writes it; a word of a later house gives nothing.
    fileprivate init(_ word: String) { self = Access.allCases.first { "\($0)" == word } ?? .metrics }
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
