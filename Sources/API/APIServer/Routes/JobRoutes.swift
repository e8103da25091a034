// Jobs: submit, list, look at, cancel.

import HTTPTypes
import Hummingbird
import JobModel
import JobWire
import Wire

enum JobRoutes {
    static let id = RouteParameter("id", in: .path, "integer", "The job's id.")

    static func all(_ scheduler: SchedulerBridge) -> [Route] {
        [list(scheduler), submit(scheduler), get(scheduler), cancel(scheduler)]
    }

    private static func list(_ scheduler: SchedulerBridge) -> Route {
        Route(
            method: .get, path: "/jobs", scope: .token, operation: "listJobs", summary: "Jobs, newest first.",
            parameters: [
                RouteParameter("state", in: .query, "string", "Only jobs in this state, e.g. running."),
                RouteParameter("limit", in: .query, "integer", "How many, 1 to 50; 20 if not given."),
                RouteParameter(
                    "before", in: .query, "integer", "Only jobs older than this id: the `next` of the page before."),
            ],
            successes: [(200, "A page of jobs.", "JobPage")]
        ) { request in
            let state = try request.query("state").map { text in
                guard let state = JobState(label: text) else {
                    let known = Wire.JobState.allCases.map(\.label).joined(separator: ", ").lowercased()
                    throw APIFailure(.invalid, "'\(text)' is not a state of a job; they are: \(known)", place: "state")
                }
                return state
            }
            let limit = try request.number("limit", in: 1...50, standard: 20)
            let before = try request.number("before", in: 0...UInt64(Int64.max), standard: 0)
            let page = try await scheduler.call(
                SchedulerEdge.ListJobs(token: request.token, before: before, limit: UInt16(limit), state: state))
            return try .json(JobPageAnswer(page))
        }
    }

    private static func submit(_ scheduler: SchedulerBridge) -> Route {
        Route(
            method: .post, path: "/jobs", scope: .token, operation: "submitJob", summary: "Submit a job.",
            parameters: [
                RouteParameter(
                    "Idempotency-Key", in: .header, "string", "The same key twice is the same job; 1 to 64 bytes."),
                RouteParameter(
                    OrderRoutes.header, in: .header, "string",
                    "The submit order that an operator's key has sealed, in base64. A job that names secrets needs one."
                ),
            ],
            body: .json(schema: "JobFile", limit: Route.jsonLimit),
            successes: [
                (201, "The job is durably queued.", "JobCreated"), (200, "This key has its job already.", "JobCreated"),
            ]
        ) { request in
            let (file, source) = try JobBody.read(try await request.bytes(limit: Route.jsonLimit))
            let definition = try definition(of: file, source)
            let order = try OrderRoutes.ofJob(request)
            if order == nil && !definition.secretNames.isEmpty { throw unsigned(definition.secretNames) }
            let submission = SchedulerEdge.SubmitJob(
                token: request.token, requestId: try requestID(request), definition: definition, order: order)
            let reply = try await scheduler.call(submission)
            return try .json(
                JobCreatedAnswer(id: reply.job, created: reply.created), status: reply.created ? .created : .ok)
        }
    }

    private static func definition(of file: JobFile, _ source: Source?) throws(APIFailure) -> JobDefinition {
        do {
            return try file.definition(source: source)
        } catch {
            throw APIFailure(error.code, error.text, place: error.place.isEmpty ? "body" : error.place)
        }
    }

    /// brokerd would refuse it, too; here it is said what to do.
    private static func unsigned(_ names: [String]) -> APIFailure {
        APIFailure(
            .orderRefused,
            "the job names secrets (\(names.joined(separator: ", "))), so it must be signed with an operator's key: "
                + "submit it with --key, or send the sealed order in the header \(OrderRoutes.header)",
            place: OrderRoutes.header)
    }

    private static func requestID(_ request: APIRequest) throws(APIFailure) -> String {
        let given = HTTPField.Name("Idempotency-Key").flatMap { request.request.headers[$0] }
        guard let given else { return Bytes16.random().hex }
        guard (1...64).contains(given.utf8.count) else {
            throw APIFailure(.invalid, "must be 1 to 64 bytes long", place: "Idempotency-Key")
        }
        // What is no UTF-8 has been mended on its way here: different keys would be one, and a job would be lost.
        guard !given.unicodeScalars.contains("\u{FFFD}") else {
            throw APIFailure(.invalid, "must be UTF-8 text", place: "Idempotency-Key")
        }
        return given
    }

    private static func get(_ scheduler: SchedulerBridge) -> Route {
        Route(
            method: .get, path: "/jobs/{id}", scope: .token, operation: "getJob", summary: "One job and its steps.",
            parameters: [id], successes: [(200, "The job.", "Job")]
        ) { request in
            try .json(
                JobAnswer(try await scheduler.call(SchedulerEdge.GetJob(token: request.token, job: try request.id()))))
        }
    }

    private static func cancel(_ scheduler: SchedulerBridge) -> Route {
        Route(
            method: .delete, path: "/jobs/{id}", scope: .token, operation: "cancelJob",
            summary: "Cancel a job: SIGTERM to its steps, SIGKILL after the grace.",
            parameters: [
                id, RouteParameter("grace", in: .query, "integer", "Seconds, 0 to 600; 10 if not given."),
            ],
            successes: [(202, "It is being cancelled, or was already finished.", "JobCancelled")]
        ) { request in
            let grace = try request.number("grace", in: 0...600, standard: 10)
            let reply = try await scheduler.call(
                SchedulerEdge.CancelJob(token: request.token, job: try request.id(), graceSeconds: UInt32(grace)))
            return try .json(JobCancelledAnswer(state: reply.state.label), status: .accepted)
        }
    }
}
