// HouseAnswers: runners and status as the API tells them.

import Wire

struct RunnerAnswer: Encodable {
    let id: String
    let image: String
    let platform: String
    let profile: String
    let resources: ResourcesAnswer
    let state: String
    let job: UInt64?
    let createdAt: String
    let reason: String

    init(_ runner: SchedulerEdge.RunnerSummary) {
        id = runner.id.hex
        image = runner.shape.image
        platform = runner.shape.platform.label
        profile = runner.shape.profile.label
        resources = ResourcesAnswer(runner.shape)
        state = runner.state.label
        job = runner.job
        createdAt = timestamp(runner.createdMs)
        reason = runner.reason
    }
}

struct RunnerListAnswer: Encodable {
    let runners: [RunnerAnswer]
}

struct RunnerCreatedAnswer: Encodable {
    let id: String
}

struct StatusAnswer: Encodable {
    struct Health: Encodable {
        let name: String
        let connected: Bool
        let detail: String
    }

    let instance: String
    let queued: UInt32
    let blocked: UInt32
    let running: UInt32
    let runners: UInt32
    let maxRunners: UInt32
    let draining: Bool
    /// Absent while it does not answer, or spawnerd is away; then `engineDetail` says why.
    let engine: String?
    let engineDetail: String?
    let daemons: [Health]

    init(_ reply: SchedulerEdge.GetStatus.Reply) {
        instance = reply.instance
        queued = reply.queued
        blocked = reply.blocked
        running = reply.running
        runners = reply.runners
        maxRunners = reply.maxRunners
        draining = reply.draining
        engine = reply.engine.isEmpty ? nil : reply.engine
        let words = [reply.engineTrouble, reply.daemons.first { $0.role == .spawnerd }?.detail ?? ""]
        let why = words.first { !$0.isEmpty } ?? "spawnerd has not said yet"
        engineDetail = engine == nil ? why : nil
        daemons = reply.daemons.map { Health(name: "\($0.role)", connected: $0.connected, detail: $0.detail) }
    }
}
