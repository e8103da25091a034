// A container and the runner in it. The runner keeps what it has to say until relayd has it on disk, as the real one
// does; what its job does is up to chance.

import JobWire
import Wire

final class Container {
    enum State { case created, running, exited }

    /// What a job's program does.
    enum Course { case succeeds, fails, dies, runsOutOfMemory, hangs }

    let runner: Bytes16
    let request: SpawnerEdge.CreateRunner
    private unowned let house: Simulation
    private var world: World { house.world }
    private(set) var state = State.created
    private(set) var exitCode: UInt16 = 0
    private(set) var outOfMemory = false
    private(set) var hasKey = false
    /// The job that it has been given, until it has said everything of it.
    private(set) var job: RelayEdge.RunJob?
    private(set) var isAtWork = false
    /// Not on relayd's disk yet, oldest first.
    private(set) var records: [RelayEdge.RelayEvent] = []
    private var course = Course.succeeds
    private var waitsForGrant = false
    private var waitsForWipe = false
    private var isSending = false
    /// Its stream is stuck: it works on, and relayd hears nothing of it.
    private(set) var isMute = false

    init(_ request: SpawnerEdge.CreateRunner, _ house: Simulation) {
        runner = request.runner
        self.request = request
        self.house = house
    }

    var name: String { String(runner.hex.prefix(6)) }

    // MARK: its life

    func start() {
        guard state == .created else { return }
        state = .running
        house.checker.started(self)
        world.after(world.between(5 * .millisecond, 80 * .millisecond)) { [weak self] in self?.wake() }
    }

    private func wake() {
        guard state == .running else { return }
        guard house.broker.takeKey(request.grant) else { return exit(70) }
        hasKey = true
        house.relay.hello(self)
    }

    func exit(_ code: UInt16, outOfMemory: Bool = false) {
        guard state == .running else { return }
        world.trace("container \(name) exits with \(code)")
        state = .exited
        exitCode = code
        self.outOfMemory = outOfMemory
        if outOfMemory, let job { house.ends.ranOutOfMemory(job.attempt) }
        isAtWork = false
        house.relay.hungUp(self)
        house.spawner.noticeExit(of: self)
    }

    /// It is gone, with everything in it.
    func remove() {
        state = .exited
        isAtWork = false
        house.relay.hungUp(self)
    }

    func fallSilent(for pause: Time) {
        guard state == .running, !isMute else { return }
        world.trace("container \(name) falls silent for \(pause.inSeconds) s")
        isMute = true
        house.relay.waitForWord(of: self)
        world.after(pause) { [weak self] in
            guard let self else { return }
            isMute = false
            if hasKey { house.relay.hello(self) }
        }
    }

    // MARK: its job

    func take(_ job: RelayEdge.RunJob) {
        guard state == .running, hasKey else { return }
        if let known = self.job {
            if known.attempt != job.attempt { world.violated("runner \(name) is given a second job") }
            return send()
        }
        self.job = job
        isAtWork = true
        house.checker.began(job, in: self)
        course = house.courses.next()
        if job.definition.needsGrant {
            waitsForGrant = true
            grantChanged()
        } else {
            work()
        }
    }

    /// brokerd has laid something out, or wiped it.
    func grantChanged() {
        guard state == .running, let job else { return }
        if waitsForGrant, house.broker.readGrant(request.grant, for: job.attempt) {
            waitsForGrant = false
            waitsForWipe = true
            say(.grantTaken(.init(attempt: job.attempt)))
        } else if waitsForWipe, !house.broker.holdsGrant(request.grant) {
            waitsForWipe = false
            work()
        }
    }

    private func work() {
        guard let job else { return }
        say(.stepStarted(.init(attempt: job.attempt, index: 0)))
        let time = world.between(10 * .millisecond, world.chance(20) ? 40 * .second : 4 * .second)
        world.after(time) { [weak self] in self?.finish() }
    }

    private func finish() {
        guard isAtWork else { return }
        switch course {
        case .succeeds: end(.succeeded, code: 0)
        case .fails: end(.failed, code: 1)
        case .dies: exit(137)
        case .runsOutOfMemory: exit(137, outOfMemory: true)
        case .hangs: break
        }
    }

    func cancel(grace: UInt32) {
        guard isAtWork, !isMute, course != .hangs else { return }
        world.after(world.between(0, Time(grace) * .second + .second)) { [weak self] in
            guard let self, isAtWork else { return }
            end(.cancelled, code: 143)
        }
    }

    private func end(_ state: JobState, code: UInt16) {
        guard let job else { return }
        isAtWork = false
        let step = StepResult(
            index: 0, outcome: state == .succeeded ? .succeeded : .failed, exitCode: code, durationMs: 5)
        say(.stepFinished(.init(attempt: job.attempt, result: step)))
        let result = JobResult(
            state: state, failedStep: state == .failed ? 0 : nil, exitCode: code, reason: "")
        house.ends.reported(job.attempt, state)
        say(.jobFinished(.init(attempt: job.attempt, result: result, logBytes: 10)))
    }

    // MARK: its records

    private func say(_ event: RelayEdge.RelayEvent) {
        records.append(event)
        send()
    }

    /// One message after the other, as long as somebody listens.
    func send() {
        guard !isSending, !isMute, !records.isEmpty, house.relay.hears(self) else { return }
        isSending = true
        let hearer = house.relay.life
        world.after(world.between(20_000, 2 * .millisecond)) { [self] in
            isSending = false
            guard state == .running, house.relay.hears(self), house.relay.life == hearer, !records.isEmpty else {
                return
            }
            house.relay.run(in: hearer) { [self] in
                guard !records.isEmpty else { return }
                house.relay.take(records.removeFirst(), from: self)
                send()
            }
        }
    }
}
