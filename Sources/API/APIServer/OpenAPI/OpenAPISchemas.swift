// OpenAPISchemas: the shapes of bodies, in JSON Schema. The integration tests hold every answer against them.

import JobModel
import Wire

enum OpenAPISchemas {
    static let all: [String: JSONTree] = [
        "Health": object(["status": text]),
        "Error": object(["error": object(["code": text, "message": text, "place": text, "problems": list(problem)])]),
        "JobFile": jobFile,
        "RunnerShape": object(shape, required: ["image"]),
        "Source": object(["sha256": text, "size": number]),
        "JobCreated": object(["id": number, "created": flag]),
        "JobCancelled": object(["state": jobState]),
        "JobPage": object(["jobs": list(.reference("Job")), "next": number], required: ["jobs"]),
        "Job": job,
        "RunnerList": object(["runners": list(.reference("Runner"))]),
        "RunnerCreated": object(["id": text]),
        "Runner": runner,
        "Status": status,
        "Why": why,
        "PoolList": object(["pools": list(pool)]),
        "Drain": object(["drain": flag]),
        "DrainSet": object(["draining": flag, "running": number, "runners": number]),
        "SecretPage": object(["secrets": list(secret), "more": flag]),
        "WhoAmI": object(["name": text, "everywhere": access, "roles": list(role)]),
        "UserPage": object(["revision": number, "users": list(user), "more": flag]),
        "TokenPage": object(["tokens": list(token), "more": flag]),
        "OrderDone": object(["done": flag]),
        "ProjectPage": object(["projects": list(project), "more": flag]),
        "Project": object(["document": text, "revision": text]),
        "ProjectChange": object(["document": text, "order": text]),
        "ProjectApplied": object(["revision": text]),
        "Delivery": object(["delivery": number, "created": flag]),
        "DeliveryPage": object(["deliveries": list(delivery), "next": number], required: ["deliveries"]),
        "ForgeCheck": object(["missing": list(text)]),
        "Held": object([
            "project": text, "number": number, "head": text, "base": text, "branch": text, "revision": text,
            "author": text,
        ]),
        "Approved": object(["jobs": number]),
    ]

    private static let text = type("string")
    private static let number = type("integer")
    private static let flag = type("boolean")
    private static let jobState = words(Wire.JobState.allCases.map(\.label))
    private static let problem = object(["place": text, "message": text])
    private static let vendor = words(JobFile.GPUVendor.allCases.map(\.rawValue))
    private static let resources = object(
        [
            "cpus": type("number"), "memory": number, "pids": number, "disk": number, "gpus": number,
            "gpu_vendor": vendor,
        ], required: ["cpus", "memory", "pids", "disk", "gpus"])

    private static let shape: [String: JSONTree] = [
        "image": text, "platform": words(JobFile.Platform.allCases.map(\.rawValue)),
        "profile": words(JobFile.Profile.allCases.map(\.rawValue)),
        "resources": object(
            [
                "cpus": type("number"), "memory": sizeOrText, "pids": number, "disk": sizeOrText, "gpus": number,
                "gpu_vendor": vendor,
            ], required: []),
    ]

    private static let sizeOrText: JSONTree = .object(["type": .array([.string("integer"), .string("string")])])

    private static let project = object([
        "name": text, "forge": words(ForgeKind.allCases.map { "\($0)" }), "repository": text, "jobs": number,
        "revision": text, "set_at": text,
    ])

    private static let delivery = object([
        "id": number, "project": text, "received_at": text,
        "state": words(SchedulerEdge.DeliveryState.allCases.map { "\($0)" }), "what": text, "text": text,
        "jobs": list(number),
    ])

    private static let access = words(Access.allCases.map { "\($0)" })
    private static let role = object(["project": text, "role": access])
    private static let user = object(
        ["name": text, "everywhere": access, "roles": list(role), "key": text],
        required: ["name", "everywhere", "roles"])
    private static let token = object(
        ["user": text, "name": text, "role": access, "projects": list(text), "expires_at": text],
        required: ["user", "name", "role", "projects"])

    private static let secret = object(["name": text, "set_at": text, "set_by": text])

    /// How a step is given a secret, where its name alone does not say it.
    private static let secretUse = object(
        ["secret": text, "as": words(JobFile.SecretUse.Form.allCases.map(\.rawValue))], required: ["secret"])

    private static let jobFile: JSONTree = {
        let step = object(
            [
                "name": text, "run": text, "timeout": sizeOrText, "continue_on_error": flag, "untrusted": flag,
                "secrets": .object([
                    "type": .string("object"), "additionalProperties": .object(["anyOf": .array([text, secretUse])]),
                ]),
            ], required: ["run"])
        let fields: [String: JSONTree] = [
            "project": text, "name": text, "timeout": sizeOrText, "silence_timeout": sizeOrText,
            "priority": number, "group": text, "cancel_in_progress": flag, "needs": list(number), "when": condition,
            "queue_timeout": sizeOrText, "retries": number, "tags": list(text),
            "env": .object(["type": .string("object"), "additionalProperties": text]),
            "steps": list(.object(["anyOf": .array([text, step])])), "source": .reference("Source"),
        ]
        return object(shape.merging(fields) { first, _ in first }, required: ["image", "steps"])
    }()

    private static let condition = words(JobFile.Schedule.Condition.allCases.map(\.rawValue))

    private static let job: JSONTree = {
        let step = object(
            ["name": text, "started_at": text, "outcome": text, "exit_code": number, "duration_ms": number],
            required: ["name"])
        let result = object(
            ["exit_code": number, "failed_step": number, "reason": text], required: ["exit_code", "reason"])
        let schedule = object(
            [
                "group": text, "cancel_in_progress": flag, "needs": list(number), "when": condition,
                "tags": list(text), "retries": number, "queue_timeout": number,
            ], required: ["cancel_in_progress", "needs", "when", "tags", "retries", "queue_timeout"])
        return object(
            [
                "id": number, "project": text, "trust": words(Wire.Trust.allCases.map(\.label)), "name": text,
                "image": text, "state": jobState, "reason": text, "priority": number, "created_at": text,
                "schedule": schedule, "attempts": number, "started_at": text, "finished_at": text, "platform": text,
                "profile": text, "resources": resources,
                "timeout": number, "runner": text, "steps": list(step), "result": result,
            ], required: ["id", "project", "trust", "name", "image", "state", "reason", "priority", "created_at"])
    }()

    private static let why = object([
        "state": jobState,
        "whys": list(
            object(["kind": text, "text": text, "advice": text, "since": text], required: ["kind", "text", "advice"])),
        "history": list(object(["at": text, "text": text])),
    ])

    private static let pool = object([
        "image": text, "platform": text, "profile": text, "resources": resources,
        "trust": words(Wire.Trust.allCases.map(\.label)), "starting": number, "idle": number, "busy": number,
        "waiting": number, "trouble": text,
    ])

    private static let runner = object(
        [
            "id": text, "image": text, "platform": text, "profile": text, "resources": resources,
            "state": words(Wire.RunnerState.allCases.map(\.label)), "job": number, "created_at": text, "reason": text,
        ], required: ["id", "image", "platform", "profile", "resources", "state", "created_at", "reason"])

    private static let status = object(
        [
            "instance": text, "queued": number, "blocked": number, "draining": flag, "running": number,
            "runners": number, "max_runners": number,
            "engine": text, "engine_detail": text,
            "daemons": list(object(["name": text, "connected": flag, "detail": text])),
        ], required: ["instance", "queued", "blocked", "draining", "running", "runners", "max_runners", "daemons"])

    private static func type(_ name: String) -> JSONTree { .object(["type": .string(name)]) }

    private static func list(_ items: JSONTree) -> JSONTree { .object(["type": .string("array"), "items": items]) }

    private static func words(_ words: [String]) -> JSONTree {
        .object(["type": .string("string"), "enum": .array(words.map { .string($0) })])
    }

    /// All fields are required unless `required` says otherwise; nothing else is allowed.
    private static func object(_ fields: [String: JSONTree], required: [String]? = nil) -> JSONTree {
        .object([
            "type": .string("object"), "properties": .object(fields), "additionalProperties": .bool(false),
            "required": .array((required ?? fields.keys.sorted()).map { .string($0) }),
        ])
    }
}
