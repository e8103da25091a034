// People: who asks, who else there is, and which tokens. They are changed by sealed orders (OrderRoutes) alone.

import Hummingbird
import JobModel
import Wire

enum PeopleRoutes {
    static func all(_ scheduler: SchedulerBridge) -> [Route] {
        [whoAmI(scheduler), users(scheduler), tokens(scheduler)]
    }

    private static func whoAmI(_ scheduler: SchedulerBridge) -> Route {
        Route(
            method: .get, path: "/whoami", scope: .token, operation: "whoAmI",
            summary: "Whose token this is, and what it may do now.", successes: [(200, "The caller.", "WhoAmI")]
        ) { request in
            try .json(WhoAmIAnswer(try await scheduler.call(SchedulerEdge.WhoAmI(token: request.token))))
        }
    }

    private static func users(_ scheduler: SchedulerBridge) -> Route {
        Route(
            method: .get, path: "/users", scope: .token, operation: "listUsers",
            summary: "Users, by name, with their roles in the projects that the caller sees.",
            parameters: [after], successes: [(200, "A page of users.", "UserPage")]
        ) { request in
            let question = SchedulerEdge.ListUsers(token: request.token, after: try name("after", request))
            return try .json(UserPageAnswer(try await scheduler.call(question)))
        }
    }

    private static func tokens(_ scheduler: SchedulerBridge) -> Route {
        Route(
            method: .get, path: "/tokens", scope: .token, operation: "listTokens",
            summary: "A user's tokens, by name: what they may do and when they end, never the tokens themselves.",
            parameters: [
                RouteParameter("user", in: .query, "string", "Whose; the caller's if it is not given."), after,
            ],
            successes: [(200, "A page of tokens.", "TokenPage")]
        ) { request in
            let question = SchedulerEdge.ListTokens(
                token: request.token, user: try name("user", request), after: try name("after", request))
            return try .json(TokenPageAnswer(try await scheduler.call(question)))
        }
    }

    private static let after = RouteParameter(
        "after", in: .query, "string", "Only names after this one: the last of the page before.")

    /// Users and tokens are named as secrets are.
    private static func name(_ parameter: String, _ request: APIRequest) throws(APIFailure) -> String {
        let text = request.query(parameter) ?? ""
        guard text.isEmpty || JobFile.isSecretName(text) else {
            throw APIFailure(.invalid, "is not a name", place: parameter)
        }
        return text
    }
}
