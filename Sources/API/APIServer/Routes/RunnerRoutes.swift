// Runners: list them, start a warm one, remove one.

import Documents
import Hummingbird
import JobModel
import JobWire
import Wire

enum RunnerRoutes {
    static func all(_ scheduler: SchedulerBridge) -> [Route] {
        [
            Route(
                method: .get, path: "/runners", scope: .token, operation: "listRunners", summary: "Runners that exist.",
                successes: [(200, "The runners.", "RunnerList")]
            ) { request in
                let reply = try await scheduler.call(SchedulerEdge.ListRunners(token: request.token))
                return try .json(RunnerListAnswer(runners: reply.runners.map(RunnerAnswer.init)))
            },
            Route(
                method: .post, path: "/runners", scope: .token, operation: "createRunner",
                summary: "Start a warm runner: the next untrusted job of the same shape takes it and begins at once.",
                body: .json(schema: "RunnerShape", limit: Route.jsonLimit),
                successes: [(201, "It is being started.", "RunnerCreated")]
            ) { request in
                let document = try JSONSpec.document(try await request.bytes(limit: Route.jsonLimit))
                let file = try JobFile.parseShape(document).mapError(APIFailure.init).get()
                let reply = try await scheduler.call(
                    SchedulerEdge.CreateRunner(token: request.token, shape: file.wireShape))
                return try .json(RunnerCreatedAnswer(id: reply.runner.hex), status: .created)
            },
            Route(
                method: .delete, path: "/runners/{id}", scope: .token, operation: "deleteRunner",
                summary: "Remove a runner that has no job.",
                parameters: [RouteParameter("id", in: .path, "string", "The runner's id, 32 hexadecimal digits.")],
                successes: [(202, "It is being removed.", "RunnerCreated")]
            ) { request in
                guard let id = request.context.parameters.get("id"), let runner = Bytes16(hex: id) else {
                    throw APIFailure(.notFound, "there is no such runner; an id has 32 hexadecimal digits", place: "id")
                }
                _ = try await scheduler.call(SchedulerEdge.DeleteRunner(token: request.token, runner: runner))
                return try .json(RunnerCreatedAnswer(id: runner.hex), status: .accepted)
            },
        ]
    }
}
