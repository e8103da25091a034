// The scheduler edge. Every request carries the caller's token, since apid can vouch for nobody: each handler begins
// with brokerd's word on it (Callers).

package import Link
import Posix
import Store
import TrustWire
package import Wire

extension Failure {
    static func noSuchJob(_ id: UInt64) -> Failure { Failure(.notFound, "there is no job \(id)", place: "job") }
}

extension Scheduler {
    /// The complete table of the edge.
    package func handlers() -> Handlers<SchedulerEdge> {
        var handlers = Handlers<SchedulerEdge>()
        addJobHandlers(&handlers)
        addJobViews(&handlers)
        addRunnerHandlers(&handlers)
        addUploadHandlers(&handlers)
        addSecretHandlers(&handlers)
        addPeopleHandlers(&handlers)
        addInsightHandlers(&handlers)
        addProjectHandlers(&handlers)
        addDeliveryHandlers(&handlers)
        addForgeCheckHandler(&handlers)
        return handlers
    }

    private func addJobHandlers(_ handlers: inout Handlers<SchedulerEdge>) {
        handlers.on(SchedulerEdge.SubmitJob.self) { [weak self] request, _, responder in
            self?.submit(request, responder)
        }
        handlers.on(SchedulerEdge.CancelJob.self) { [weak self] request, _, responder in
            self?.answer("cancel", request.token, to: .cancel, .job(request.job), responder) { [weak self] unit, _ in
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

    /// relayd opens the log; the descriptor travels on: a capability, not a path.
    private func openLog(_ request: SchedulerEdge.OpenLog, _ responder: Responder<SchedulerEdge.OpenLog.Reply>) {
        let matter = Matter.job(request.job)
        admit("open log", request.token, to: .seeJobs, matter, fail: { responder.fail($0) }) { unit, _ in
            guard let job = try unit.rows.job(request.job) else { throw Failure.noSuchJob(request.job) }
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
            return responder.fail(
                isEarly ? Failure(.notReady, "the job has not begun", place: "log") : refusalByRelay(failure))
        }
        var fds = fds
        guard let log = fds.takeFirst() else { return responder.fail(Failure(.internal, "no log came")) }
        responder.reply(.init(complete: complete), fd: log)
    }

    private func watch(_ request: SchedulerEdge.WatchJob, _ sink: ItemSink<SchedulerEdge.WatchJob.Item>) {
        admit("watch", request.token, to: .seeJobs, .job(request.job), fail: { sink.fail($0) }) { unit, _ in
            guard let job = try unit.rows.job(request.job) else { throw Failure.noSuchJob(request.job) }
            unit.afterCommit {
                sink.send(.init(state: job.state, reason: job.reason))
                if job.isFinal { sink.end() } else { self.watchers.add(sink, job: job.id) }
            }
        }
    }
}
