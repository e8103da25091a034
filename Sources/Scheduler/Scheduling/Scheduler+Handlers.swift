// The scheduler edge. Every request carries the caller's token, since apid can vouch for nobody: each handler begins
// with it.

package import Link
import Posix
import Store
package import Wire

extension Scheduler {
    /// The complete table of the edge.
    package func handlers() -> Handlers<SchedulerEdge> {
        var handlers = Handlers<SchedulerEdge>()
        addJobHandlers(&handlers)
        addJobViews(&handlers)
        addRunnerHandlers(&handlers)
        addUploadHandlers(&handlers)
        return handlers
    }

    /// Answers `unauthorized` and says false if the token is not the one.
    func admits<Reply>(_ token: String, _ responder: Responder<Reply>) -> Bool {
        if self.token.accepts(token) { return true }
        responder.fail(Self.unauthorized)
        return false
    }

    static var unauthorized: Failure { Failure(.unauthorized, "the token is missing or wrong", place: "token") }

    /// A unit of work whose value is the reply, once it is durable.
    func answer<Reply>(
        _ name: String, _ token: String, _ responder: Responder<Reply>, _ work: @escaping (UnitOfWork) throws -> Reply
    ) {
        guard admits(token, responder) else { return }
        batch.request(name, fail: { responder.fail($0) }) { unit in
            let reply = try work(unit)
            unit.afterCommit { responder.reply(reply) }
        }
    }

    private func addJobHandlers(_ handlers: inout Handlers<SchedulerEdge>) {
        handlers.on(SchedulerEdge.SubmitJob.self) { [weak self] request, _, responder in
            self?.answer("submit", request.token, responder) { [weak self] unit in
                guard let self else { throw Failure(.shuttingDown, "") }
                return try submit(unit, request)
            }
        }
        handlers.on(SchedulerEdge.CancelJob.self) { [weak self] request, _, responder in
            self?.answer("cancel", request.token, responder) { [weak self] unit in
                guard let self else { throw Failure(.shuttingDown, "") }
                return .init(state: try cancel(unit, job: request.job, graceSeconds: request.graceSeconds))
            }
        }
        handlers.on(SchedulerEdge.OpenLog.self) { [weak self] request, _, responder in
            self?.openLog(request, responder)
        }
        handlers.on(SchedulerEdge.WatchJob.self) { [weak self] request, sink in
            self?.watch(request, sink)
        }
    }

    private func submit(
        _ unit: UnitOfWork, _ request: SchedulerEdge.SubmitJob
    ) throws -> SchedulerEdge.SubmitJob.Reply {
        // First: a repeated request must find its job, even if it would not be taken any more.
        if let job = try unit.rows.job(ofRequest: request.requestId) { return .init(job: job, created: false) }
        try SpecCheck.check(request.spec, source: request.source)
        if let source = request.source, try !unit.rows.takeUp(source) {
            throw Failure(.notFound, "the source archive is not in the store; upload it again", place: "source")
        }
        let (job, created) = try unit.rows.submit(
            requestID: request.requestId, spec: request.spec, source: request.source, at: unit.now)
        unit.dispatchNext()
        return .init(job: job, created: created)
    }

    /// relayd opens the log; the descriptor travels on: a capability, not a path.
    private func openLog(_ request: SchedulerEdge.OpenLog, _ responder: Responder<SchedulerEdge.OpenLog.Reply>) {
        guard admits(request.token, responder) else { return }
        batch.request("open log", fail: { responder.fail($0) }) { unit in
            guard let job = try unit.rows.job(request.job) else {
                throw Failure(.notFound, "no such job", place: "job")
            }
            guard let attempt = try unit.rows.toldAttempt(ofJob: job.id) else {
                throw job.isFinal
                    ? Failure(.notFound, "the job ended before it began: it has no log", place: "log")
                    : Failure(.notReady, "the job has not begun", place: "log")
            }
            unit.afterCommit {
                self.relay.openLog(attempt.attempt) { result, fds in
                    Self.passOn(result, fds, complete: job.isFinal, responder)
                }
            }
        }
    }

    private static func passOn(
        _ result: Result<Void, Failure>, _ fds: consuming FDBundle, complete: Bool,
        _ responder: Responder<SchedulerEdge.OpenLog.Reply>
    ) {
        if let failure = result.failure {
            // relayd learns of a job a moment after we have said that it is told.
            let isEarly = failure.errorCode == .notFound && !complete
            return responder.fail(isEarly ? Failure(.notReady, "the job has not begun", place: "log") : failure)
        }
        var fds = fds
        guard let log = fds.takeFirst() else { return responder.fail(Failure(.internal, "no log came")) }
        responder.reply(.init(complete: complete), fd: log)
    }

    private func watch(_ request: SchedulerEdge.WatchJob, _ sink: ItemSink<SchedulerEdge.WatchJob.Item>) {
        guard token.accepts(request.token) else { return sink.fail(Self.unauthorized) }
        batch.request("watch", fail: { sink.fail($0) }) { unit in
            guard let job = try unit.rows.job(request.job) else {
                throw Failure(.notFound, "no such job", place: "job")
            }
            unit.afterCommit {
                sink.send(.init(state: job.state, reason: job.reason))
                if job.isFinal { sink.end() } else { self.watchers.add(sink, job: job.id) }
            }
        }
    }
}
