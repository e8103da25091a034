// Projects, what their webhooks have led to, and approvals. A project is changed by an order that only brokerd opens;
// beside it goes the project itself, for schedulerd.

import Documents
import FoundationEssentials
import HTTPTypes
import Hummingbird
import JobModel
import Wire

enum ProjectRoutes {
    /// A project's document as text, and an order in base64.
    private static let limit = 128 * 1024
    private static let project = RouteParameter("project", in: .path, "string", "The project's name.")

    static func all(_ scheduler: SchedulerBridge) -> [Route] {
        [
            list(scheduler), get(scheduler), apply(scheduler), remove(scheduler), forge(scheduler),
            deliveries(scheduler),
            held(scheduler), approve(scheduler),
        ]
    }

    private static func list(_ scheduler: SchedulerBridge) -> Route {
        Route(
            method: .get, path: "/projects", scope: .token, operation: "listProjects",
            summary: "The projects, by name.",
            parameters: [
                RouteParameter(
                    "after", in: .query, "string", "Only names after this one: the last of the page before.")
            ],
            successes: [(200, "A page of projects.", "ProjectPage")]
        ) { request in
            let after = request.query("after") ?? ""
            guard after.isEmpty || JobFile.isProjectName(after) else {
                throw APIFailure(.invalid, "is not a project's name", place: "after")
            }
            let reply = try await scheduler.call(SchedulerEdge.ListProjects(token: request.token, after: after))
            return try .json(ProjectPageAnswer(reply))
        }
    }

    private static func get(_ scheduler: SchedulerBridge) -> Route {
        Route(
            method: .get, path: "/projects/{project}", scope: .token, operation: "getProject",
            summary: "A project as it holds: its document, as JSON text, and its revision.", parameters: [project],
            successes: [(200, "The project.", "Project")]
        ) { request in
            let reply = try await scheduler.call(
                SchedulerEdge.GetProject(token: request.token, project: try request.project()))
            return try .json(ProjectAnswer(reply))
        }
    }

    private static func apply(_ scheduler: SchedulerBridge) -> Route {
        Route(
            method: .put, path: "/projects/{project}", scope: .token, operation: "applyProject",
            summary: "Make or change a project: its document, and a sealed order with its rules.",
            parameters: [project], body: .json(schema: "ProjectChange", limit: limit),
            successes: [(200, "It holds, durably.", "ProjectApplied")]
        ) { request in
            _ = try request.project()
            let fields = try texts(["document", "order"], try await request.bytes(limit: limit))
            let reply = try await scheduler.call(
                SchedulerEdge.ApplyProject(
                    token: request.token, order: try OrderRoutes.order(fields[1], place: "order"),
                    document: Array(fields[0].utf8)))
            return try .json(ProjectAppliedAnswer(revision: reply.revision.hex))
        }
    }

    private static func remove(_ scheduler: SchedulerBridge) -> Route {
        Route(
            method: .delete, path: "/projects/{project}", scope: .token, operation: "removeProject",
            summary: "Remove a project, by a sealed order. Its jobs and secrets stay.",
            parameters: [
                project, RouteParameter(OrderRoutes.header, in: .header, "string", "The sealed order, in base64."),
            ],
            successes: [(200, "It is gone, durably.", "OrderDone")]
        ) { request in
            guard let order = try OrderRoutes.ofJob(request) else {
                throw APIFailure(.orderRefused, "a project is removed by a sealed order", place: OrderRoutes.header)
            }
            _ = try await scheduler.call(
                SchedulerEdge.RemoveProject(token: request.token, order: order, project: try request.project()))
            return try .json(OrderDoneAnswer(done: true))
        }
    }

    private static func forge(_ scheduler: SchedulerBridge) -> Route {
        Route(
            method: .get, path: "/projects/{project}/forge", scope: .token, operation: "checkForge",
            summary: "What the project's forge does not let its token do, asked now.", parameters: [project],
            successes: [(200, "What is missing, in sentences; empty if nothing is.", "ForgeCheck")]
        ) { request in
            let reply = try await scheduler.call(
                SchedulerEdge.CheckForge(token: request.token, project: try request.project()))
            return try .json(ForgeCheckAnswer(missing: reply.missing))
        }
    }

    private static func deliveries(_ scheduler: SchedulerBridge) -> Route {
        Route(
            method: .get, path: "/deliveries", scope: .token, operation: "listDeliveries",
            summary: "What webhooks have brought, newest first, and what became of it.",
            parameters: [
                RouteParameter("project", in: .query, "string", "Of this project alone."),
                RouteParameter("before", in: .query, "integer", "Only older ones than this: the page's `next`."),
                RouteParameter("limit", in: .query, "integer", "1 to 50; 20 if it is not given."),
            ],
            successes: [(200, "A page of deliveries.", "DeliveryPage")]
        ) { request in
            let project = request.query("project") ?? ""
            guard project.isEmpty || JobFile.isProjectName(project) else {
                throw APIFailure(.invalid, "is not a project's name", place: "project")
            }
            let reply = try await scheduler.call(
                SchedulerEdge.ListDeliveries(
                    token: request.token, project: project,
                    before: try request.number("before", in: 0...UInt64(Int64.max), standard: 0),
                    limit: UInt16(try request.number("limit", in: 1...50, standard: 20))))
            return try .json(DeliveryPageAnswer(reply))
        }
    }

    private static let job = RouteParameter("id", in: .path, "integer", "The job's id.")

    private static func held(_ scheduler: SchedulerBridge) -> Route {
        Route(
            method: .get, path: "/jobs/{id}/held", scope: .token, operation: "getHeld",
            summary: "What an approval of a held job is about.", parameters: [job],
            successes: [(200, "The change, its commits and the rules.", "Held")]
        ) { request in
            try .json(
                HeldAnswer(
                    try await scheduler.call(SchedulerEdge.GetHeld(token: request.token, job: try request.id()))))
        }
    }

    private static func approve(_ scheduler: SchedulerBridge) -> Route {
        Route(
            method: .post, path: "/jobs/{id}/approve", scope: .token, operation: "approveJob",
            summary: "Approve the change of a held job, by a sealed order that names its commits and rules.",
            parameters: [job], body: .bytes(mediaType: "application/octet-stream", limit: OrderRoutes.limit),
            successes: [(200, "All held jobs of the change are released.", "Approved")]
        ) { request in
            let order = try OrderRoutes.read(try await request.bytes(limit: OrderRoutes.limit), place: "body")
            let reply = try await scheduler.call(
                SchedulerEdge.ApproveJob(token: request.token, job: try request.id(), order: order))
            return try .json(ApprovedAnswer(jobs: Int(reply.jobs)))
        }
    }

    /// Fields of a body that are texts, all of which must be there.
    private static func texts(_ names: [String], _ body: [UInt8]) throws(APIFailure) -> [String] {
        let content = try JSONSpec.document(body).content
        guard case .map(let entries) = content else {
            throw APIFailure(.invalid, "the body must be a JSON object", place: "body")
        }
        var texts: [String] = []
        for name in names {
            let found = entries.filter { $0.key == name }
            guard found.count == 1, case .string(let text)? = found.first?.value.content else {
                throw APIFailure(.invalid, "must be there once, as a text", place: name)
            }
            texts.append(text)
        }
        return texts
    }
}
