// Secrets by name. No route tells a value: there is no message that could bring one here.

import Hummingbird
import JobModel
import Wire

enum SecretRoutes {
    static func all(_ scheduler: SchedulerBridge) -> [Route] {
        [
            Route(
                method: .get, path: "/projects/{project}/secrets", scope: .token, operation: "listSecrets",
                summary: "The names of a project's secrets, in order, with who set them when.",
                parameters: [
                    RouteParameter("project", in: .path, "string", "The project's name."),
                    RouteParameter(
                        "after", in: .query, "string", "Only names after this one: the last of the page before."),
                ],
                successes: [(200, "A page of secrets.", "SecretPage")]
            ) { request in
                let project = try request.project()
                let after = request.query("after") ?? ""
                guard after.isEmpty || JobFile.isSecretName(after) else {
                    throw APIFailure(.invalid, "is not a secret's name", place: "after")
                }
                let reply = try await scheduler.call(
                    SchedulerEdge.ListSecrets(token: request.token, project: project, after: after))
                return try .json(SecretPageAnswer(reply))
            }
        ]
    }
}
