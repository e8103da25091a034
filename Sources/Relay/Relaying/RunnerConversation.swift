// relayd's side of the runner edge: one attached runner and the job that it has. Talks to the runner through a
// RunnerTransport, to the disk through an AttemptLog, and to its owner, Relay.
//
// The runner is hostile. Whatever it does wrong ends in `lose`: its connection is closed, everybody else goes on.

import Link
import LogStore
import Posix
import Wire

final class RunnerConversation {
    let runner: Bytes16
    let transport: RunnerTransport
    let limits: RelayLimits
    private(set) weak var owner: (any RunnerOwner)?
    let loop: PollLoop
    private let openSource: (Source) throws -> FileDescriptor

    var connection: Connection<RunnerEdge>?
    private(set) var isReady = false
    private(set) var isClosed = false

    /// The job that the runner has or is to have, until its end is on disk.
    var log: AttemptLog?
    /// Of a job that has secrets.
    private(set) var masking: LogMasking?
    /// Set for good by a job that had secrets: its runner may know them after their masks are gone.
    var mayKnowSecrets = false
    var progress: JobProgress?
    private(set) var isJobOffered = false
    private(set) var isJobSent = false
    private var isListening = false
    private var feed: SourceFeed?
    /// Runs while the runner is ready: see RunnerConversation+Pulse.
    var pulse: TimerID?

    // The state of RunnerConversation+Records.
    /// Last record of the runner's life that is on disk, whatever job it belonged to.
    var durable: UInt64
    var acknowledged: UInt64
    var acknowledgementsInFlight = 0
    var isStalled = false
    var isRetryDue = false

    /// `durable`: up to which record this runner has been heard already.
    init(
        loop: PollLoop, runner: Bytes16, transport: RunnerTransport, limits: RelayLimits, durable: UInt64,
        openSource: @escaping (Source) throws -> FileDescriptor, owner: any RunnerOwner
    ) {
        self.loop = loop
        self.runner = runner
        self.transport = transport
        self.limits = limits
        self.durable = durable
        self.openSource = openSource
        self.owner = owner
        acknowledged = durable
    }

    /// Begins: preamble, hello, Resume, Records.
    func start() {
        guard !isClosed else { return }
        transport.synchronize(
            synced: { [weak self] in self?.greet() },
            failed: { [weak self] failure in self?.lose(failure) })
    }

    private func greet() {
        guard !isClosed else { return }
        connection = Connection<RunnerEdge>(
            loop: loop, transport: transport, client: .relayd,
            onUp: { [weak self] in self?.resume() },
            onDown: { [weak self] failure in self?.ended(failure) })
    }

    /// A Goodbye is the runner's word that relayd broke the protocol. Mostly that is neither's doing: what was written
    /// on an older stream may reach the runner behind the preamble of this one, since the engine copies both.
    private func ended(_ failure: Failure) {
        guard connection?.wasDismissed == true, !isClosed else {
            return lose(transport.violation ?? .ofRunner(failure))
        }
        commit()
        guard !isClosed else { return }
        stopTalking()
        owner?.dismissed(self, failure)
    }

    private func resume() {
        call(RunnerEdge.Resume(durable: durable)) { [weak self] reply in
            guard let self else { return }
            guard reply.lastRecord >= self.durable else {
                return self.violation("it has forgotten records that it sent before")
            }
            self.isReady = true
            self.keepAsking()
            self.listen()
            self.owner?.runnerIsReady(self)
            self.beginJob(runnerHas: reply.attempt, sourceReceived: reply.sourceReceived)
        }
    }

    /// A job with secrets is neither begun nor listened to before there is something to mask its log with. What is not
    /// asked for stays with the runner.
    private var awaitsMasks: Bool { masking.map { !$0.isReady } ?? false }

    /// The first masks of its job are here.
    func masksArrived() {
        guard isReady else { return }
        listen()
        if !isJobOffered { beginJob(runnerHas: nil, sourceReceived: 0) }
    }

    private func listen() {
        guard !isListening, !awaitsMasks else { return }
        isListening = true
        connection?.open(
            RunnerEdge.Records(),
            onItem: { [weak self] item in self?.take(item) },
            onEnd: { [weak self] failure in
                self?.failed(failure ?? Failure(.runnerViolation, "the runner ended its records"))
            })
    }

    /// A request has failed. If the connection went down with it, `onDown` says why, and says it next.
    func failed(_ failure: Failure) {
        if connection?.isOpen == true { lose(.ofRunner(failure)) }
    }

    // MARK: the job

    /// Gives the runner a job, now or when it is ready and, with `masking`, there are masks. The caller has made sure
    /// that it has none.
    func assign(_ log: AttemptLog, _ masking: LogMasking?) {
        self.log = log
        self.masking = masking
        if masking != nil { mayKnowSecrets = true }
        progress = JobProgress(job: log.job, events: log.takenEvents, artifacts: log.begunArtifacts)
        isJobSent = false
        isJobOffered = false
        // What an earlier conversation could not put on disk.
        if log.hasStaged { owner?.staged(self) }
        if isReady { beginJob(runnerHas: nil, sourceReceived: 0) }
    }

    private func beginJob(runnerHas attempt: Attempt?, sourceReceived: UInt64) {
        guard let log else { return }
        if attempt == log.job.attempt {
            isJobOffered = true
            return jobTaken(sourceReceived: sourceReceived)
        }
        guard !awaitsMasks else { return }
        isJobOffered = true
        let request = RunnerEdge.RunJob(attempt: log.job.attempt, definition: log.job.definition)
        call(request, within: limits.startTime, silent: "it was given a job and has not answered") { [weak self] _ in
            self?.jobTaken(sourceReceived: 0)
        }
    }

    private func jobTaken(sourceReceived: UInt64) {
        guard let log, !isClosed else { return }
        isJobSent = true
        log.isStarted = true
        owner?.jobStarted(log)
        if let source = log.job.definition.source { sendSource(source, from: sourceReceived) }
        cancel()
    }

    private func sendSource(_ source: Source, from offset: UInt64) {
        guard offset <= source.size else { return violation("it has more of the source than there is") }
        guard offset < source.size else { return }
        do {
            feed = SourceFeed(
                file: try openSource(source), size: source.size, from: offset,
                send: { [weak self] request, completion in
                    guard let self, let connection = self.connection else { return }
                    connection.call(request, deadline: self.limits.answerTime) { result, _ in completion(result) }
                },
                fail: { [weak self] failure in self?.failed(failure) })
            feed?.pump()
        } catch {
            lose(Failure(.internal, "cannot open the source archive: \(error)"))
        }
    }

    /// Tells the runner to stop the job, if schedulerd has asked for that and the runner has the job.
    func cancel() {
        guard isJobSent, let grace = log?.cancelGraceSeconds else { return }
        connection?.call(RunnerEdge.Cancel(graceSeconds: grace), deadline: limits.answerTime) { [weak self] result, _ in
            guard let self, !isClosed, case .failure(let failure) = result else { return }
            notAnswered(failure)
        }
    }

    /// A request has failed whose answer says nothing new. While the disk takes no more nothing is read from the
    /// runner, its answer included: that is no silence of its own, and it has been told.
    func notAnswered(_ failure: Failure) {
        if failure.errorCode == .deadlineExceeded && isStalled { return }
        failed(failure)
    }

    /// The job's end is on disk: the runner is free for another.
    func jobEnded() {
        feed?.stop()
        feed = nil
        log = nil
        masking = nil
        progress = nil
        isJobSent = false
        isJobOffered = false
    }

    /// A text that this runner has made or had a part in, for others to read: without secrets.
    func words(_ text: String, limit: Int) -> String {
        if let masking { return masking.words(text, limit: limit) }
        return mayKnowSecrets ? LogMasking.withheld : text
    }

    /// Nothing more will be taken of this job: what is held back of its log can be no part of anything. To be called
    /// when the connection is given up for good.
    func finishLog() {
        if let log, let masking { masking.flush(in: log) }
        commit()
    }

    // MARK: the end

    /// A call that must succeed: a runner that fails it, or does not answer in time, is lost.
    func call<C: WireCall>(_ request: C, _ completion: @escaping (C.Reply) -> Void) where C.Edge == RunnerEdge {
        connection?.call(request, deadline: limits.answerTime) { [weak self] result, _ in
            guard let self, !self.isClosed else { return }
            switch result {
            case .success(let reply): completion(reply)
            case .failure(let failure): self.failed(failure)
            }
        }
    }

    func violation(_ what: String) {
        lose(Failure(.runnerViolation, what))
    }

    /// Ends the conversation and says why. What it has reported until now is put on disk first, if the disk allows.
    func lose(_ failure: Failure) {
        guard !isClosed else { return }
        commit()
        // The commit may have ended in the very same place.
        guard !isClosed else { return }
        close(failure)
        owner?.lost(self, failure)
    }

    /// Ends it without a word to Relay: the runner is being removed, or has another connection already.
    func close(_ failure: Failure? = nil) {
        guard !isClosed else { return }
        stopTalking(failure)
        transport.hangUp()
    }

    private func stopTalking(_ failure: Failure? = nil) {
        isClosed = true
        isReady = false
        feed?.stop()
        stopAsking()
        connection?.close(failure)
        connection = nil
    }

    /// Tells the runner to leave and closes; within a second, whether it listens or not.
    func quit() {
        guard let connection, isReady else { return close() }
        isReady = false
        connection.call(RunnerEdge.Quit(), deadline: .seconds(1)) { [self] _, _ in close() }
    }
}
