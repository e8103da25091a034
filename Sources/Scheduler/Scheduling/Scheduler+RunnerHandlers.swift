// Runners that a person asks for: warm ones wait, IDLE, for the first untrusted job of equal shape, until the pool's
// cooldown is over or a job needs their room.

import JobModel
import Link
import Store
import TrustWire
import Wire

extension Scheduler {
    func addRunnerHandlers(_ handlers: inout Handlers<SchedulerEdge>) {
        handlers.on(SchedulerEdge.ListRunners.self) { [weak self] request, _, responder in
            self?.tell("list runners", request.token, to: .seeHouse, .house, responder) { unit, caller in
                // Without a job it is the house's.
                let seesAll = caller.rights.visible == nil
                let rows = try unit.rows.runners().filter { row in
                    if seesAll { return true }
                    guard let id = row.job, let job = try unit.rows.job(id) else { return false }
                    return caller.rights.access(to: job.project) >= .read
                }.prefix(SchedulerSettings.runnersAtMost)
                return .init(
                    runners: try rows.map { row in
                        SchedulerEdge.RunnerSummary(
                            id: row.id, shape: try unit.rows.shape(row.shape), state: row.state, job: row.job,
                            createdMs: row.createdMs, reason: Reasons.fit(row.reason, limit: 128))
                    })
            }
        }
        handlers.on(SchedulerEdge.CreateRunner.self) { [weak self] request, _, responder in
            self?.answer("create runner", request.token, to: .keepRunners, .house, responder) { [weak self] unit, _ in
                guard let self else { throw Failure(.shuttingDown, "") }
                return .init(runner: try createRunner(unit, request.shape))
            }
        }
        handlers.on(SchedulerEdge.DeleteRunner.self) { [weak self] request, _, responder in
            self?.answer("delete runner", request.token, to: .keepRunners, .house, responder) { [weak self] unit, _ in
                guard let self else { throw Failure(.shuttingDown, "") }
                try deleteRunner(unit, request.runner)
                return .init()
            }
        }
    }

    private func createRunner(_ unit: UnitOfWork, _ shape: RunnerShape) throws -> Bytes16 {
        try SpecCheck.check(shape)
        let limit = settings.runnerLimit
        if try unit.rows.runnerCount() >= limit {
            throw Failure(.limitReached, "there are \(limit) runners, as many as this site allows")
        }
        let id = newID()
        // The pool of jobs that nobody vouches for. Those of operators have runners made for them.
        let pool = Pool(shape: try unit.rows.key(of: shape), trust: .untrusted)
        try unit.rows.insertRunner(id, pool: pool, wanted: true, at: unit.now)
        // Its cooldown begins.
        try unit.rows.noteUse(of: pool, at: unit.house)
        unit.dispatchNext()
        return id
    }

    private func deleteRunner(_ unit: UnitOfWork, _ id: Bytes16) throws {
        guard let row = try unit.rows.runner(id) else {
            throw Failure(.notFound, "no such runner", place: "runner")
        }
        if let job = row.job {
            throw Failure(.conflict, "it holds job \(job): cancel the job, its runner goes with it", place: "runner")
        }
        try tearDown(unit, id, on: .deleted, reason: "deleted")
    }
}
