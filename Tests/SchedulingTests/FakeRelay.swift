// relayd from a script: it holds streams, remembers attempts until they are settled, and tells everything again to a
// new watcher. A test plays the runner: `begin`, `finish`. It outlives the schedulers of a test.

import Endpoints
import Files
import JobWire
import Link
import Posix
import Scheduling
import Store
import Testing
import Wire

final class FakeRelay: RelayLink {
    /// Of whatever a job has left.
    static let seal = Bytes32(9, 9, 9, 9)

    var loop: PollLoop
    let witness: Witness
    weak var broker: FakeBroker?

    var isReady = false
    var lastFailure: Failure?
    var silentSince: UInt64?
    private(set) var countersAsked = 0
    var onUp: (() -> Void)?
    var onDown: ((Failure) -> Void)?

    /// Runners whose stream it holds.
    private(set) var streams: Set<Bytes16> = []
    /// Attempts that it was told of and that are not settled.
    private(set) var jobs: [Attempt: RelayEdge.RunJob] = [:]
    private(set) var events: [Attempt: [RelayEdge.RelayEvent]] = [:]
    /// How often each attempt was told.
    private(set) var told: [Attempt: Int] = [:]
    private(set) var cancelled: [Attempt] = []
    private(set) var settled: [Attempt] = []
    private(set) var dropped: [Bytes16] = []
    /// Jobs whose logs cannot be removed.
    var stuckLogs: Set<UInt64> = []
    private(set) var removedLogs: [UInt64] = []
    private(set) var removedArtifacts: [UInt64] = []
    /// Artifact rules by which attempts have left files.
    var left: Set<UInt16> = []
    private(set) var removedSources: [Bytes32] = []
    /// What happens just before an upload is said to be finished.
    var beforeFinish: () -> Void = {}
    /// What RunJob fails with.
    var refusal: Failure?
    var comesUp = true
    private var watcher: ((RelayEdge.RelayEvent) -> Void)?
    private var generation = 0

    init(loop: PollLoop, witness: Witness) {
        self.loop = loop
        self.witness = witness
    }

    func start() {
        if comesUp { loop.soon { self.up() } }
    }

    /// What schedulerd does to the link.
    func stop() {
        down(losingStreams: false)
    }

    func up() {
        isReady = true
        onUp?()
    }

    /// The link breaks; with `losingStreams`, relayd itself was restarted.
    func down(losingStreams: Bool) {
        isReady = false
        generation += 1
        watcher = nil
        if losingStreams { streams = [] }
        onDown?(Failure(.disconnected, "relayd went away"))
    }

    // MARK: the runner's part

    func takeStream(_ runner: Bytes16) {
        streams.insert(runner)
        watcher?(.runnerReady(.init(runner: runner)))
    }

    /// The only attempt that is under way.
    func attempt() throws -> Attempt {
        #expect(jobs.count == 1)
        return try #require(jobs.keys.first)
    }

    /// The runner has read its grant.
    func take(_ attempt: Attempt) {
        tell(attempt, .grantTaken(.init(attempt: attempt)))
    }

    func begin(_ attempt: Attempt) {
        tell(attempt, .jobStarted(.init(attempt: attempt)))
        tell(attempt, .stepStarted(.init(attempt: attempt, index: 0)))
    }

    func finish(_ attempt: Attempt, _ state: JobState, reason: String = "") {
        let step = StepResult(index: 0, outcome: .succeeded, exitCode: 0, durationMs: 5)
        tell(attempt, .stepFinished(.init(attempt: attempt, result: step)))
        let result = Samples.result(state, reason: reason)
        tell(attempt, .jobFinished(.init(attempt: attempt, result: result, logBytes: 100)))
    }

    func lose(_ runner: Bytes16, _ code: ErrorCode, _ reason: String = "") {
        streams.remove(runner)
        watcher?(.runnerLost(.init(runner: runner, code: code.rawValue, reason: reason)))
    }

    func tell(_ attempt: Attempt, _ event: RelayEdge.RelayEvent) {
        events[attempt, default: []].append(event)
        watcher?(event)
    }

    // MARK: the edge

    private static var gone: Failure { Failure(.disconnected, "") }

    private func answer(_ body: @escaping (_ isConnected: Bool) -> Void) {
        let asked = generation
        let wasReady = isReady
        loop.soon { body(wasReady && self.isReady && asked == self.generation) }
    }

    func runJob(_ request: RelayEdge.RunJob, _ done: @escaping (Failure?) -> Void) {
        witness.expect("RunJob") { rows in
            let runner = try rows.runner(request.runner)
            let attempt = try rows.attempt(request.attempt)
            return runner?.state == .busy && attempt?.state == .open && attempt?.told == true
        }
        let directory = broker?.directory(of: request.runner)
        #expect(directory?.holdsKey == false, "a job is given to a runner whose key lies open")
        if request.definition.needsGrant {
            #expect(directory?.attempt == request.attempt, "told before it was granted")
        }
        if isReady && refusal == nil {
            told[request.attempt, default: 0] += 1
            jobs[request.attempt] = request
        }
        let failure = refusal
        answer { isConnected in done(isConnected ? failure : Self.gone) }
    }

    func cancelJob(_ attempt: Attempt, graceSeconds: UInt32, _ done: @escaping (Failure?) -> Void) {
        witness.expect("CancelJob") { try $0.job(attempt.job)?.cancelGrace == graceSeconds }
        if isReady { cancelled.append(attempt) }
        answer { isConnected in done(isConnected ? nil : Self.gone) }
    }

    func settleJob(_ attempt: Attempt, _ done: @escaping (Failure?) -> Void) {
        witness.expect("SettleJob") { rows in
            let state = try rows.attempt(attempt)?.state
            return state == nil || state == .ended || state == .settled
        }
        if isReady {
            settled.append(attempt)
            jobs[attempt] = nil
            events[attempt] = nil
        }
        answer { isConnected in done(isConnected ? nil : Self.gone) }
    }

    func dropRunner(_ runner: Bytes16, _ done: @escaping (Failure?) -> Void) {
        if isReady {
            dropped.append(runner)
            streams.remove(runner)
        }
        answer { isConnected in done(isConnected ? nil : Self.gone) }
    }

    func openLog(_ attempt: Attempt, _ done: @escaping (Result<Void, Failure>, consuming FDBundle) -> Void) {
        answer { isConnected in
            guard isConnected, let log = try? Posix.open(#filePath, [.readOnly]) else {
                return done(.failure(Self.gone), FDBundle())
            }
            done(.success(()), FDBundle(log))
        }
    }

    func openArtifact(
        _ attempt: Attempt, rule: UInt16,
        _ done: @escaping (Result<RelayEdge.OpenArtifact.Reply, Failure>, consuming FDBundle) -> Void
    ) {
        answer { [self] isConnected in
            guard isConnected, left.contains(rule), let file = try? Posix.open(#filePath, [.readOnly]) else {
                let failure = isConnected ? Failure(.notFound, "no file fits this rule") : Self.gone
                return done(.failure(failure), FDBundle())
            }
            done(.success(.init(files: 1, seal: Self.seal)), FDBundle(file))
        }
    }

    func openUpload(size: UInt64, _ done: @escaping (Result<UInt64, Failure>, consuming FDBundle) -> Void) {
        answer { isConnected in
            guard isConnected, let pipe = try? Posix.pipe() else { return done(.failure(Self.gone), FDBundle()) }
            done(.success(7), FDBundle(pipe.keepSecond()))
        }
    }

    func finishUpload(
        _ upload: UInt64, deadline: Duration, _ done: @escaping (Result<Source, Failure>) -> Void
    ) {
        #expect(upload == 7)
        answer { isConnected in
            self.beforeFinish()
            done(isConnected ? .success(Samples.source) : .failure(Self.gone))
        }
    }

    private(set) var stored: [UInt64] = []

    func storeArchive(
        _ archive: consuming FileDescriptor, size: UInt64, _ done: @escaping (Result<Source, Failure>) -> Void
    ) {
        if isReady { stored.append(size) }
        answer { isConnected in done(isConnected ? .success(Samples.source) : .failure(Self.gone)) }
    }

    func removeLogs(_ job: UInt64, _ done: @escaping (Failure?) -> Void) {
        let failure = stuckLogs.contains(job) ? Failure(.internal, "cannot be removed") : nil
        if isReady && failure == nil { removedLogs.append(job) }
        answer { isConnected in done(isConnected ? failure : Self.gone) }
    }

    func removeArtifacts(_ job: UInt64, _ done: @escaping (Failure?) -> Void) {
        if isReady { removedArtifacts.append(job) }
        answer { isConnected in done(isConnected ? nil : Self.gone) }
    }

    func removeSource(_ sha256: Bytes32, _ done: @escaping (Failure?) -> Void) {
        if isReady { removedSources.append(sha256) }
        answer { isConnected in done(isConnected ? nil : Self.gone) }
    }

    var counters = RelayEdge.ReadCounters.Reply(logBytes: 1000, maskedBytes: 900, masks: 3, streams: 1)

    func readCounters(
        deadline: Duration, _ done: @escaping (Result<RelayEdge.ReadCounters.Reply, Failure>) -> Void
    ) {
        countersAsked += 1
        answer { isConnected in done(isConnected ? .success(self.counters) : .failure(Self.gone)) }
    }

    func watchEvents(onItem: @escaping (RelayEdge.RelayEvent) -> Void, onEnd: @escaping (Failure?) -> Void) {
        watcher = onItem
        for runner in streams { onItem(.runnerReady(.init(runner: runner))) }
        for event in events.values.joined() { onItem(event) }
    }
}
