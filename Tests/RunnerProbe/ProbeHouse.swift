// What a probe has of courierd: a way out, tokens, and room for some jobs.

import Exchange
import Files
import GitLabRunner
import Outbound
import Posix
import RunnerErrands

final class ProbeHouse {
    let loop: PollLoop
    let api: RunnerAPI
    let tokens = ProbeTokens()
    let sender: RunnerSender
    var policy = RetryPolicy()
    var limits = TraceMachine.Limits()
    private var runner: RunnerErrand?
    private var trace: TraceErrand?
    private var jobs: [UInt64: ProbeJob] = [:]
    private var left: Int

    init(_ origin: Origin, store: Origin, jobs: Int) throws {
        loop = try PollLoop()
        guard let here = AddressRange("127.0.0.0/8"), let id = SystemID("r_pr0bepr0bepr") else {
            throw Wrong(what: "self")
        }
        api = RunnerAPI(origin: origin, systemID: id, stores: store == origin ? [] : [store])
        let outbound = try Outbound(
            loop: loop, settings: OutboundSettings(addresses: AddressPolicy(named: [here])))
        sender = RunnerSender(api, by: outbound, tokens)
        left = jobs
        // Nobody's test waits for a minute.
        policy.first = .milliseconds(20)
        policy.longest = .seconds(1)
        limits.keepAlive = Posix.environment("KEEP_ALIVE").flatMap { UInt64($0) } ?? limits.keepAlive
    }

    /// Registers, takes its jobs, and leaves.
    func take(_ registration: Registration) {
        var manners = RunnerMachine.Manners()
        manners.poll = 50
        let settings = RunnerSettings(
            scope: .instance, description: "probe", tags: ["bulkhead"], runUntagged: false)
        let errand = RunnerErrand(
            RunnerMachine(settings, registration, by: api, manners: manners, policy: policy), through: sender, on: loop,
            notice: { [weak self] in self?.hear($0) }, gone: { [weak self] in self?.hasLeft() })
        runner = errand
        errand.hasRoom(for: left)
    }

    private func hear(_ notice: RunnerMachine.Notice) {
        switch notice {
        case .keep(let known, let token):
            print("registered: \(known.id)")
            tokens.runner = token
            runner?.tokenKept()
        case .problem(let problem): print("problem: \(problem)")
        case .job(let body):
            do {
                let given = try Payload.read(body.bytes)
                tokens.jobs[given.handle.id] = given.handle.token
                let job = try ProbeJob(given, in: self)
                jobs[given.handle.id] = job
                try job.start()
            } catch {
                print("failed: \(error)")
            }
        }
    }

    func hasEnded(_ job: UInt64) {
        left -= 1
        if left == 0 { runner?.stop() }
    }

    private func hasLeft() {
        print("gone")
        loop.stop()
    }

    /// Sends what is missing of a log, and the end of its job.
    func resume(_ job: UInt64, _ path: String) throws {
        let trace = TraceErrand(
            JobHandle(id: job, token: tokens.jobs[job] ?? SecretText(""), reasons: nil), by: api,
            log: try Posix.open(path, .readOnly), isResumed: true, through: sender, on: loop, limits: limits,
            policy: policy,
            notice: { print("notice: \($0)") },
            over: { [weak self] over in
                print("over: \(over)")
                self?.loop.stop()
            })
        self.trace = trace
        trace.finish(.succeeded)
    }
}

struct Wrong: Error { let what: String }
