// relayd's middle: who is attached, which attempt is whose, who is told. Its handlers are in Relay+Scheduler and
// Relay+Spawner; a conversation with a runner is RunnerConversation's.

package import Daemon
package import Link
package import LogStore
package import Posix
package import Wire

package final class Relay {
    let loop: PollLoop
    let store: LogStore
    let sources: SourceStore
    let uploads: Uploads
    let watchers: Watchers
    let masks: Masks
    let limits: RelayLimits
    let daemonLog: Log

    /// Attached runners, also those that have not answered yet.
    var runners: [Bytes16: RunnerConversation] = [:]
    /// Runners that schedulerd has dropped before it settled their attempts: their numbers are not kept.
    var dropped: Set<Bytes16> = []
    /// Conversations with records that are not on disk.
    private var due: [RunnerConversation] = []

    /// `broker`: where the masks come from; the caller starts it.
    package init(
        loop: PollLoop, store: LogStore, sources: SourceStore, broker: LinkClient<MaskEdge>, limits: RelayLimits,
        log: Log
    ) {
        self.loop = loop
        self.store = store
        self.sources = sources
        self.limits = limits
        daemonLog = log
        uploads = Uploads(loop: loop, sources: sources, limits: limits)
        watchers = Watchers(limit: limits.watcherBytes)
        masks = Masks(loop: loop, broker: broker, log: log)
        masks.arrived = { [weak self] log in self?.runners[log.job.runner]?.masksArrived() }
        masks.impossible = { [weak self] log in
            self?.runners[log.job.runner]?.lose(Failure(.conflict, "its log cannot be masked any more"))
        }
        // One write of the log and one of the journal per pass and runner, however small its records are.
        loop.beforeWait { [weak self] in self?.commitStaged() }
    }

    /// Puts on disk what has come. The runners keep the rest until the next relayd.
    package func stop() {
        commitStaged()
    }

    private func commitStaged() {
        guard !due.isEmpty else { return }
        let conversations = due
        due = []
        for conversation in conversations { conversation.commit() }
    }

    /// Begins to talk to a runner over `stream`. An earlier connection of the same runner is closed: spawnerd has
    /// attached anew.
    func attach(
        _ runner: Bytes16, stream: consuming FileDescriptor, framing: StreamEdge.Framing, pending: [UInt8]
    ) throws {
        runners[runner]?.close()
        runners[runner] = nil
        guard runners.count < limits.runners else {
            throw Failure(.limitReached, "\(limits.runners) runners are attached already")
        }
        let transport = try RunnerTransport(
            loop: loop, stream: stream, framing: framing, pending: pending, runner: runner, limits: limits,
            diagnostics: { [weak self] line in self?.diagnostics(line, of: runner) })
        converse(with: runner, over: transport).start()
    }

    /// A conversation that knows what is on disk of this runner, not begun yet.
    private func converse(with runner: Bytes16, over transport: RunnerTransport) -> RunnerConversation {
        let conversation = RunnerConversation(
            loop: loop, runner: runner, transport: transport, limits: limits, durable: store.durable(of: runner),
            openSource: { [sources] source in try sources.open(source) }, owner: self)
        runners[runner] = conversation
        if let log = store.unfinished(on: runner) {
            conversation.assign(log, masks.masking(of: log))
        } else if store.attempts.values.contains(where: { $0.job.runner == runner && $0.job.hasSecrets }) {
            conversation.mayKnowSecrets = true
        }
        return conversation
    }

    /// The job that a runner has, for the log.
    private func job(on runner: Bytes16) -> String {
        store.unfinished(on: runner).map { "\($0.job.attempt.job)" } ?? "none"
    }

    private func diagnostics(_ line: String, of runner: Bytes16) {
        let text = runners[runner]?.words(line, limit: Diagnostics.lineLength) ?? LogMasking.withheld
        daemonLog.info("runner says", ["runner": runner.hex, "job": job(on: runner), "text": text])
    }
}

extension Relay: RunnerOwner {
    func runnerIsReady(_ conversation: RunnerConversation) {
        daemonLog.info("runner is ready", ["runner": conversation.runner.hex])
        watchers.send(.runnerReady(.init(runner: conversation.runner)))
    }

    func jobStarted(_ log: AttemptLog) {
        watchers.send(.jobStarted(.init(attempt: log.job.attempt)))
    }

    func jobEnded(_ log: AttemptLog) {
        masks.end(log)
    }

    func recorded(_ events: [RunnerEdge.Record], in log: AttemptLog) {
        for record in events {
            if let event = RelayEvents.event(of: record, in: log) { watchers.send(event) }
        }
        if log.ended != nil, log.dropped > 0 {
            daemonLog.warning(
                "log was cut at its limit", ["job": "\(log.job.attempt.job)", "dropped": "\(log.dropped)"])
        }
    }

    func staged(_ conversation: RunnerConversation) {
        // Mostly one of few; a set would cost more.
        if !due.contains(where: { $0 === conversation }) { due.append(conversation) }
    }

    func stalled(_ conversation: RunnerConversation, _ error: StoreError?) {
        if let error {
            daemonLog.error(
                "cannot write a log; its job waits",
                ["runner": conversation.runner.hex, "job": job(on: conversation.runner), "error": "\(error)"])
        } else {
            daemonLog.info(
                "log is written again", ["runner": conversation.runner.hex, "job": job(on: conversation.runner)])
        }
    }

    /// Begins anew on the same stream, a moment later: what disturbed it has an end. A runner that complains again and
    /// again is lost.
    func dismissed(_ conversation: RunnerConversation, _ failure: Failure) {
        guard runners[conversation.runner] === conversation else { return conversation.transport.hangUp() }
        let transport = conversation.transport
        guard transport.complaints < limits.complaints else {
            transport.hangUp()
            return lost(conversation, .ofRunner(failure))
        }
        transport.complaints += 1
        daemonLog.info(
            "runner was disturbed; its stream begins anew",
            ["runner": conversation.runner.hex, "job": job(on: conversation.runner), "code": failure.errorCode.name])
        let next = converse(with: conversation.runner, over: transport)
        runners[conversation.runner] = next
        loop.after(limits.complaintPause) { next.start() }
    }

    func lost(_ conversation: RunnerConversation, _ failure: Failure) {
        guard runners[conversation.runner] === conversation else { return }
        runners[conversation.runner] = nil
        let reason = conversation.words(failure.text, limit: 512)
        daemonLog.warning(
            "runner is lost",
            [
                "runner": conversation.runner.hex, "job": job(on: conversation.runner), "code": failure.errorCode.name,
                "reason": reason,
            ])
        watchers.send(RelayEvents.lost(conversation.runner, failure, reason))
    }
}
