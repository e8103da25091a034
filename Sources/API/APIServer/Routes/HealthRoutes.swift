// Health and status: is it up, and what does the house hold.

import Hummingbird
import Wire

enum HealthRoutes {
    struct Health: Encodable {
        let status: String
    }

    static func all(_ scheduler: SchedulerBridge) -> [Route] {
        [
            Route(
                method: .get, path: "/health", scope: .open, operation: "getHealth",
                summary: "Whether this process answers; asks nobody else.",
                successes: [(200, "It does.", "Health")]
            ) { _ in try .json(Health(status: "ok")) },
            Route(
                method: .get, path: "/status", scope: .token, operation: "getStatus",
                summary: "The daemons, the engine and the queue.", successes: [(200, "The status.", "Status")]
            ) { request in
                try .json(StatusAnswer(try await scheduler.call(SchedulerEdge.GetStatus(token: request.token))))
            },
        ]
    }
}
