// JobAnswers: jobs as the API tells them. Keys become snake_case; `OpenAPISchemas` describes the same shapes.

import Wire

struct JobAnswer: Encodable {
    struct Step: Encodable {
        let name: String
        let startedAt: String?
        let outcome: String?
        let exitCode: UInt16?
        let durationMs: UInt64?

        init(_ step: SchedulerEdge.StepStatus) {
            name = step.name
            startedAt = step.startedMs.map(timestamp)
            outcome = step.result?.outcome.label
            exitCode = step.result?.exitCode
            durationMs = step.result?.durationMs
        }
    }

    /// When it runs: the keys of the job file.
    struct Schedule: Encodable {
        let group: String?
        let cancelInProgress: Bool
        let needs: [UInt64]
        let when: String
        let tags: [String]
        let retries: UInt8
        /// Seconds; 0: it may wait for ever.
        let queueTimeout: UInt32

        init(_ schedule: Wire.Schedule) {
            group = schedule.group?.name
            cancelInProgress = schedule.group?.cancelInProgress ?? false
            needs = schedule.needs
            when = schedule.condition.label
            tags = schedule.tags
            retries = schedule.retries
            queueTimeout = schedule.queueTimeoutSeconds
        }
    }

    struct Result: Encodable {
        let exitCode: UInt16
        let failedStep: UInt16?
        let reason: String
    }

    let id: UInt64
    let project: String
    let trust: String
    let name: String
    let image: String
    let state: String
    let reason: String
    let priority: UInt8
    let createdAt: String
    let startedAt: String?
    let finishedAt: String?
    var platform: String?
    var profile: String?
    var resources: ResourcesAnswer?
    var timeout: UInt32?
    var schedule: Schedule?
    var attempts: UInt32?
    var runner: String?
    var steps: [Step]?
    var result: Result?

    init(_ summary: SchedulerEdge.JobSummary) {
        id = summary.id
        project = summary.project
        trust = summary.trust.label
        name = summary.name
        image = summary.image
        state = summary.state.label
        reason = summary.reason
        priority = summary.priority
        createdAt = timestamp(summary.createdMs)
        startedAt = summary.startedMs.map(timestamp)
        finishedAt = summary.finishedMs.map(timestamp)
    }

    init(_ reply: SchedulerEdge.GetJob.Reply) {
        self.init(reply.summary)
        platform = reply.shape.platform.label
        profile = reply.shape.profile.label
        resources = ResourcesAnswer(reply.shape)
        timeout = reply.timeoutSeconds
        schedule = Schedule(reply.schedule)
        attempts = reply.attempts
        runner = reply.runner?.hex
        steps = reply.steps.map(Step.init)
        result = reply.result.map { Result(exitCode: $0.exitCode, failedStep: $0.failedStep, reason: $0.reason) }
    }
}

struct ResourcesAnswer: Encodable {
    let cpus: Double
    let memory: UInt64
    let pids: UInt32
    let disk: UInt64
    let gpus: UInt8
    let gpuVendor: String?

    init(_ shape: RunnerShape) {
        let resources = shape.resources
        cpus = Double(resources.cpuMillis) / 1000
        memory = resources.memoryBytes
        pids = resources.pids
        disk = resources.diskBytes
        gpus = shape.gpus?.count ?? 0
        gpuVendor = shape.gpus?.vendor.map { "\($0)" }
    }
}

struct JobPageAnswer: Encodable {
    let jobs: [JobAnswer]
    let next: UInt64?

    init(_ reply: SchedulerEdge.ListJobs.Reply) {
        jobs = reply.jobs.map { JobAnswer($0) }
        next = reply.next == 0 ? nil : reply.next
    }
}

struct JobCreatedAnswer: Encodable {
    let id: UInt64
    let created: Bool
}

struct JobCancelledAnswer: Encodable {
    let state: String
}

struct SourceAnswer: Encodable {
    let sha256: String
    let size: UInt64

    init(_ source: Wire.Source) {
        sha256 = source.sha256.hex
        size = source.size
    }
}
