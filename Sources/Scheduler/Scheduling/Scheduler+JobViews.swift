// Reading jobs: the list, one job, the state of the house.

import Link
import Store
import TrustWire
import Wire

extension Scheduler {
    /// What one ListJobs shows at most; the reply then fits its frame whatever the names and reasons are.
    static let page = 50

    func addJobViews(_ handlers: inout Handlers<SchedulerEdge>) {
        handlers.on(SchedulerEdge.ListJobs.self) { [weak self] request, _, responder in
            self?.tell("list jobs", request.token, to: .seeHouse, .house, responder) { [weak self] unit, caller in
                guard let self else { throw Failure(.shuttingDown, "") }
                let limit = min(max(Int(request.limit), 1), Self.page)
                // One more than asked for tells whether there is a next page.
                let found = try unit.rows.jobs(
                    before: request.before, limit: limit + 1, state: request.state, of: caller.rights.visible)
                let shown = found.prefix(limit)
                let next = found.count > limit ? shown.last?.id ?? 0 : 0
                return .init(jobs: try summaries(unit, shown), next: next)
            }
        }
        handlers.on(SchedulerEdge.GetJob.self) { [weak self] request, _, responder in
            self?.tell("get job", request.token, to: .seeJobs, .job(request.job), responder) { [weak self] unit, _ in
                guard let self else { throw Failure(.shuttingDown, "") }
                return try view(unit, request.job)
            }
        }
        handlers.on(SchedulerEdge.GetStatus.self) { [weak self] request, _, responder in
            self?.tell("status", request.token, to: .seeHouse, .house, responder) { [weak self] unit, _ in
                guard let self else { throw Failure(.shuttingDown, "") }
                return try status(unit)
            }
        }
    }

    private func summaries(
        _ unit: UnitOfWork, _ jobs: ArraySlice<JobRow>
    ) throws -> [SchedulerEdge.JobSummary] {
        let outlook = try outlook(unit)
        return try jobs.map { job in
            var summary = job.summary
            if job.reason.isEmpty { summary.reason = try waitingReason(unit, job, outlook) }
            return summary
        }
    }

    private func view(_ unit: UnitOfWork, _ id: UInt64) throws -> SchedulerEdge.GetJob.Reply {
        guard let job = try unit.rows.job(id) else { throw Failure.noSuchJob(id) }
        var summary = job.summary
        if job.reason.isEmpty { summary.reason = try waitingReason(unit, job, try outlook(unit)) }
        let spec = try unit.rows.spec(ofJob: id)
        let known = Dictionary(
            try unit.rows.steps(ofJob: id).map { (Int($0.index), $0) }, uniquingKeysWith: { first, _ in first })
        let steps = spec.steps.enumerated().map { index, step in
            SchedulerEdge.StepStatus(
                name: step.name, startedMs: known[index]?.startedMs, result: known[index]?.result)
        }
        return .init(
            summary: summary, shape: spec.shape, timeoutSeconds: job.timeoutSeconds, steps: steps, result: job.result,
            runner: try unit.rows.runner(ofJob: id)?.id, schedule: try unit.rows.schedule(ofJob: id),
            attempts: job.attempts)
    }

    private func status(_ unit: UnitOfWork) throws -> SchedulerEdge.GetStatus.Reply {
        .init(
            instance: instance, queued: UInt32(clamping: try unit.rows.queuedCount()),
            running: UInt32(clamping: try unit.rows.runningCount()),
            runners: UInt32(clamping: try unit.rows.runnerCount()), maxRunners: UInt32(clamping: settings.runnerLimit),
            engine: engineName,
            engineTrouble: Reasons.fit(
                trouble.map { "\($0.errorCode.name): \($0.text)" } ?? "", limit: 256),
            blocked: UInt32(clamping: try unit.rows.tally()[.blocked] ?? 0), draining: isDraining,
            daemons: [
                .init(role: .schedulerd, connected: true, detail: "epoch \(epoch)"),
                health(
                    .brokerd, broker.isReady, broker.lastFailure,
                    trouble: silence(broker.silentSince) ?? release.failure ?? preparation.failure),
                health(
                    .spawnerd, spawner.isReady, spawner.lastFailure, trouble: silence(spawner.silentSince) ?? trouble),
                health(.relayd, relay.isReady, relay.lastFailure, trouble: silence(relay.silentSince)),
                health(.courierd, courier.isReady, courier.lastFailure, trouble: nil),
            ])
    }

    private var trouble: Failure? { engine.silence(at: now) ?? engineTrouble }

    /// A daemon that keeps its socket and says nothing. spawnerd answers some request every few seconds, whatever the
    /// engine does.
    private func silence(_ since: UInt64?) -> Failure? {
        guard let since, now > since, now - since > Self.silenceIsLong else { return nil }
        let seconds = (now - since) / 1_000_000_000
        return Failure(
            .deadlineExceeded, "it has not answered for \(seconds) s; see its log, and start it again if it hangs")
    }

    private static let silenceIsLong: UInt64 = 10_000_000_000

    /// Empty while it does not answer; the health of spawnerd says why.
    private var engineName: String {
        guard case .answers = engine, let host else { return "" }
        return Reasons.fit("\(host.engine) \(host.engineVersion)", limit: 128)
    }

    private func health(
        _ role: Role, _ isReady: Bool, _ failure: Failure?, trouble: Failure?
    ) -> SchedulerEdge.DaemonHealth {
        let why = isReady ? trouble : failure
        let detail = why.map { "\($0.errorCode.name): \($0.text)" } ?? (isReady ? "" : "not connected yet")
        return .init(role: role, connected: isReady, detail: Reasons.fit(detail, limit: 256))
    }
}
