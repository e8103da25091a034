// Looking in: why a job waits, which pools there are, draining. Metrics are in Scheduler+Metrics.

import Link
import Store
import TrustWire
import Wire

extension Scheduler {
    func addInsightHandlers(_ handlers: inout Handlers<SchedulerEdge>) {
        handlers.on(SchedulerEdge.ExplainJob.self) { [weak self] request, _, responder in
            self?.tell("explain job", request.token, to: .seeJobs, .job(request.job), responder) {
                [weak self] unit, _ in
                guard let self else { throw Failure(.shuttingDown, "") }
                guard let job = try unit.rows.job(request.job) else { throw Failure.noSuchJob(request.job) }
                return .init(
                    state: job.state, whys: try whys(unit, job),
                    happenings: try unit.rows.happenings(ofJob: job.id).map { .init(atMs: $0.atMs, text: $0.text) })
            }
        }
        handlers.on(SchedulerEdge.ListPools.self) { [weak self] request, _, responder in
            self?.tell("list pools", request.token, to: .seePools, .house, responder) { [weak self] unit, _ in
                guard let self else { throw Failure(.shuttingDown, "") }
                return .init(pools: try pools(unit))
            }
        }
        handlers.on(SchedulerEdge.SetDrain.self) { [weak self] request, _, responder in
            self?.answer("drain", request.token, to: .drain, .house, responder) { [weak self] unit, _ in
                guard let self else { throw Failure(.shuttingDown, "") }
                return try setDrain(unit, request.drain)
            }
        }
        handlers.on(SchedulerEdge.ReadMetrics.self) { [weak self] request, sink in
            self?.readMetrics(request, sink)
        }
    }

    /// Those with runners, and those that were used within the cooldown.
    private func pools(_ unit: UnitOfWork) throws -> [SchedulerEdge.PoolSummary] {
        let late = try unit.rows.pools(
            usedSince: unit.house - settings.cooldown.wholeMilliseconds, limit: Self.poolsKept)
        let runners = Dictionary(grouping: try unit.rows.runners(), by: \.pool)
        var order = late.map(\.pool)
        order += runners.keys.filter { !order.contains($0) }.sorted { $0.shape < $1.shape }
        return try order.prefix(Self.poolsKept).map { pool in
            let rows = runners[pool] ?? []
            return .init(
                shape: try shapes.shape(pool.shape, unit.rows), trust: pool.trust,
                starting: UInt32(rows.count { $0.state == .pending || $0.state == .provisioning }),
                idle: UInt32(rows.count { $0.state == .idle }), busy: UInt32(rows.count { $0.state == .busy }),
                waiting: UInt32(clamping: try unit.rows.waiting(pool)),
                trouble: Reasons.fit(poolTrouble[pool]?.failure?.text ?? "", limit: 256))
        }
    }
}
