// The scripted schedulerd's answers about users and tokens.

import Link
import Wire

extension ScriptedScheduler {
    static func addPeople(_ handlers: inout Handlers<SchedulerEdge>, _ script: Watched<Script>) {
        let role = ProjectAccess(project: "shop", access: .write)
        handlers.on(SchedulerEdge.WhoAmI.self) { request, _, responder in
            guard admits(request.token, "WhoAmI", script, responder) else { return }
            responder.reply(.init(name: "alice", projects: [role], everywhere: .metrics))
        }
        handlers.on(SchedulerEdge.ListUsers.self) { request, _, responder in
            guard admits(request.token, "ListUsers", script, responder) else { return }
            let users = [
                UserInfo(name: "alice", key: Bytes32(1, 2, 3, 4), everywhere: .metrics, projects: [role]),
                UserInfo(name: "bob", key: nil, everywhere: .read, projects: []),
            ]
            responder.reply(.init(revision: 17, users: users, more: false))
        }
        handlers.on(SchedulerEdge.ListTokens.self) { request, _, responder in
            guard admits(request.token, "ListTokens", script, responder) else { return }
            let tokens = [
                TokenInfo(
                    user: request.user, name: "ci", access: .write, projects: ["shop"], expiresMs: 1_700_000_000_123),
                TokenInfo(user: request.user, name: "old", access: .admin, projects: [], expiresMs: 0),
            ]
            responder.reply(.init(tokens: tokens, more: true))
        }
    }
}
