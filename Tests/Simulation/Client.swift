// apid, and people behind it: they submit and cancel, say a request again if it was not answered, and hold schedulerd
// to its word.

import Link
import Scheduling
import Wire

final class Client {
    private unowned let house: Simulation
    private var world: World { house.world }
    private var connection: Connection<SchedulerEdge>?
    private var life = 0
    private(set) var open: [String: SchedulerEdge.SubmitJob] = [:]
    /// What was asked for, by the name of the job, which is its request's.
    private(set) var asked: [String: JobDefinition] = [:]
    /// Jobs by request, as they were acknowledged.
    private(set) var acknowledged: [String: UInt64] = [:]
    private var jobs: [String: [UInt64]] = [:]
    private var number = 0
    private var wishesDrain: Bool?

    init(_ house: Simulation) { self.house = house }

    /// A new schedulerd: nothing is known of what was under way.
    func connect(_ connection: Connection<SchedulerEdge>?) {
        self.connection = connection
        life += 1
        for request in open.keys.sorted() { sayAgain(request) }
        if connection != nil, let wishesDrain { drain(wishesDrain) }
    }

    // MARK: submissions

    func submit() {
        number += 1
        let request = "r\(number)"
        let definition = definition(request)
        let order =
            definition.needsSecret
            ? SealedOrder(
                key: Bytes32(1, 1, 1, 1), encapsulated: Bytes32(2, 2, 2, 2), order: [UInt8](repeating: 3, count: 40),
                value: []) : nil
        asked[request] = definition
        open[request] = SchedulerEdge.SubmitJob(
            token: "let-me-in", requestId: request, definition: definition, order: order)
        send(request)
        // Some people are impatient.
        if world.chance(5) { send(request) }
    }

    private func send(_ request: String) {
        guard let submission = open[request] ?? nil, let connection else { return }
        let asked = life
        connection.call(submission, deadline: .seconds(20)) { [weak self] result, _ in
            guard let self, asked == life else { return }
            switch result {
            case .success(let reply): took(request, reply)
            case .failure(let failure) where failure.errorCode.retry == .later: sayAgain(request)
            case .failure(let failure): world.violated("\(request) is refused: \(failure.text)")
            }
        }
    }

    private func took(_ request: String, _ reply: SchedulerEdge.SubmitJob.Reply) {
        world.trace("\(request) is job \(reply.job), \(reply.created ? "new" : "known")")
        if let known = acknowledged[request], known != reply.job {
            world.violated("\(request) has made jobs \(known) and \(reply.job)")
        }
        acknowledged[request] = reply.job
        if let project = open[request]?.definition.project { jobs[project, default: []].append(reply.job) }
        open[request] = nil
        if world.chance(12) {
            world.after(world.between(0, 20 * .second)) { [weak self] in self?.cancel(reply.job) }
        }
    }

    private func sayAgain(_ request: String) {
        world.after(world.between(100 * .millisecond, 3 * .second)) { [weak self] in self?.send(request) }
    }

    // MARK: cancellations

    func cancelAll() {
        for job in acknowledged.values.sorted() { cancel(job) }
    }

    private func cancel(_ job: UInt64) {
        world.trace("job \(job) is to be cancelled")
        let grace = UInt32(world.below(8))
        connection?.call(SchedulerEdge.CancelJob(token: "let-me-in", job: job, graceSeconds: grace)) { _, _ in }
    }

    /// Said until it is acknowledged.
    func drain(_ drain: Bool) {
        world.trace(drain ? "drain" : "drain no more")
        wishesDrain = drain
        let asked = life
        connection?.call(SchedulerEdge.SetDrain(token: "let-me-in", drain: drain), deadline: .seconds(20)) {
            [weak self] result, _ in
            guard let self, asked == life, wishesDrain == drain else { return }
            guard case .failure = result else {
                wishesDrain = nil
                return
            }
            world.after(.second) { [weak self] in if self?.wishesDrain == drain { self?.drain(drain) } }
        }
    }

    // MARK: what is asked for

    private func definition(_ name: String) -> JobDefinition {
        let secrets = world.chance(25) ? [SecretUse(name: "npm", form: .variable, variable: "NPM")] : []
        let step = Step(
            name: "only", run: "true", timeoutSeconds: 0, continueOnError: false, untrusted: false, when: .onSuccess,
            secrets: secrets)
        let shape = RunnerShape(
            image: world.pick(["alpine", "debian"]), platform: .linuxAmd64, profile: .strict, resources: resources(),
            untrustedSteps: false, gpus: gpus())
        let spec = JobSpec(
            name: name, shape: shape, timeoutSeconds: 60, silenceSeconds: 0, env: [], steps: [step], artifacts: [])
        if house.kind == .rush {
            let project = Self.projects[number / 4 % 3]
            return JobDefinition(project: project, spec: spec, source: nil, schedule: .usual)
        }
        let project = world.pick(Self.projects)
        return JobDefinition(project: project, spec: spec, source: nil, schedule: schedule(project))
    }

    /// Some ask for more than the machine has.
    private func resources() -> Resources {
        var resources = Resources(
            cpuMillis: house.kind == .rush ? 1000 : UInt32(1 + world.below(3)) * 1000, memoryBytes: 64 << 20, pids: 64,
            diskBytes: 32 << 20)
        if house.kind != .rush && world.chance(5) {
            if world.chance(50) { resources.cpuMillis = 9000 } else { resources.memoryBytes = 8 << 30 }
        }
        return resources
    }

    private func gpus() -> GPUs? {
        guard house.kind != .rush, world.chance(house.kind == .cards ? 70 : 15) else { return nil }
        return GPUs(count: world.pick([1, 1, 1, 2]), vendor: nil)
    }

    static let projects = ["shop", "docs", "core"]

    private func schedule(_ project: String) -> Schedule {
        var schedule = Schedule.usual
        let others = jobs[project] ?? []
        if world.chance(20), !others.isEmpty {
            schedule.needs = [world.pick(others)]
            schedule.condition = world.pick([.allSuccess, .anyFailed, .always])
        }
        schedule.retries = UInt8(world.below(3))
        schedule.priority = UInt8(world.pick([50, 50, 50, 80]))
        if world.chance(20) {
            schedule.group = Group(name: "deploy", cancelInProgress: world.chance(30))
        }
        if world.chance(10) { schedule.queueTimeoutSeconds = UInt32(1 + world.below(60)) }
        if world.chance(4) { schedule.tags = ["arm-board"] }
        return schedule
    }
}

extension JobDefinition {
    var needsSecret: Bool { spec.steps.contains { !$0.secrets.isEmpty } }
}
