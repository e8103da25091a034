// Webhooks: a delivery goes on as it came, its body in a file of memory, to whoever can tell whether it is genuine.
// apid reads nothing of it. What is not genuine gets one answer, whatever was wrong.

import HTTPTypes
import Hummingbird
import Posix
import Wire

enum WebhookRoutes {
    /// What begins so may be as long as a delivery.
    static let path = "/webhook/"
    /// What GitHub sends at most.
    static let limit = 25 << 20
    /// `job` is where GitLab's runners have always been told.
    private static let forges: [String: ForgeKind] = [
        "github": .github, "gitlab": .gitlab, "job": .gitlab, "gitea": .gitea, "forgejo": .forgejo,
    ]
    /// What brokerd may look at. Everything else a forge sends stays here.
    private static let fields = [
        "content-type", "x-github-event", "x-hub-signature-256", "x-gitlab-event", "x-gitlab-token", "webhook-id",
        "webhook-timestamp", "webhook-signature", "x-gitea-event", "x-gitea-signature", "x-forgejo-event",
        "x-forgejo-signature",
    ]
    private static let fieldsAtMost = 16
    private static let fieldBytes = 1024

    static func all(_ scheduler: SchedulerBridge, _ room: WebhookRoom) -> [Route] {
        let forge = RouteParameter("forge", in: .path, "string", "github, gitlab, gitea or forgejo; job is gitlab.")
        let project = RouteParameter(
            "project", in: .path, "string", "Whose key signs; without it every project's of this forge is tried.")
        return [
            route("\(path){forge}", "deliver", [forge], scheduler, room),
            route("\(path){forge}/{project}", "deliverTo", [forge, project], scheduler, room),
        ]
    }

    private static func route(
        _ path: String, _ operation: String, _ parameters: [RouteParameter], _ scheduler: SchedulerBridge,
        _ room: WebhookRoom
    ) -> Route {
        Route(
            method: .post, path: path, scope: .open, operation: operation,
            summary: "A webhook of a forge, signed with the project's key; 401 for whatever is not genuine.",
            parameters: parameters, body: .bytes(mediaType: "application/json", limit: limit),
            successes: [(202, "It is kept, durably; a repeated one is known again.", "Delivery")]
        ) { try await deliver($0, scheduler, room) }
    }

    private static func deliver(
        _ request: APIRequest, _ scheduler: SchedulerBridge, _ room: WebhookRoom
    ) async throws -> Response {
        guard let forge = request.context.parameters.get("forge").flatMap({ forges[$0] }) else {
            throw APIFailure.noRoute
        }
        let project = request.context.parameters.get("project") ?? ""
        let headers = fields.flatMap { name in
            (HTTPField.Name(name).map { request.request.headers[values: $0] } ?? []).map {
                HeaderField(name: name, value: $0)
            }
        }
        guard headers.count <= fieldsAtMost, headers.allSatisfy({ $0.value.utf8.count <= fieldBytes }),
            project.utf8.count <= 64
        else { throw notGenuine }
        let body = try await room.receive(request.request.body, for: project)
        let delivery = SchedulerEdge.Deliver(forge: forge, project: project, headers: headers)
        let reply: SchedulerEdge.Deliver.Reply
        do throws(APIFailure) {
            reply = try await scheduler.call(delivery, with: body)
        } catch {
            throw error.code == .unauthorized ? notGenuine : error
        }
        return try .json(DeliveryAnswer(reply), status: .accepted)
    }

    private static var notGenuine: APIFailure {
        APIFailure(.unauthorized, "not a delivery of a known repository with a good signature", place: "delivery")
    }
}
