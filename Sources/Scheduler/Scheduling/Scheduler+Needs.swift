// Jobs that wait for other jobs. Whoever ends looks at those that wait for it, in the same commit
// if they are not too many (Cascade).

import Daemon
import JobModel
import JobWire
import Link
import Store
import Wire

extension Scheduler {
    /// What a job waits for must be there, and be of its own project: nobody may learn how another's jobs end.
    static func checkNeeds(_ unit: UnitOfWork, of definition: JobDefinition) throws {
        for (index, needed) in definition.schedule.needs.enumerated() {
            guard let row = try unit.rows.job(needed), row.project == definition.project else {
                let text = "there is no job \(needed) in project '\(definition.project)'; `bulkhead jobs` lists them"
                throw Failure(.invalid, text, place: "needs[\(index)]")
            }
        }
    }

    /// BLOCKED to QUEUED, or to CANCELLED, if what it waits for says so. True: it has ended, and those that wait for it
    /// in turn are to be looked at; not by a call of this one, since a chain may be as long as there are jobs.
    func settleNeeds(_ unit: UnitOfWork, of id: UInt64) throws -> Bool {
        guard let job = try unit.rows.job(id), job.state == .blocked else { return false }
        let needs = try unit.rows.needs(ofJob: id)
        switch Self.verdict(try unit.rows.schedule(ofJob: id).condition, needs) {
        case .wait: return false
        case .run: return try joinQueue(unit, job, on: .dependenciesMet, settling: false)
        case .skip(let why):
            return try end(unit, job: id, on: .skipped, reason: why, settling: false)
        }
    }

    /// What kept it from the queue is over. True: it fits no machine, and has ended.
    func joinQueue(
        _ unit: UnitOfWork, _ job: JobRow, on event: JobEvent, settling: Bool = true
    ) throws -> Bool {
        try unit.rows.advance(job: job.id, on: event, at: unit.now)
        if try endUnfit(unit, job: job.id, shape: try shapes.shape(job.shape, unit.rows), settling: settling) {
            return true
        }
        try unit.rows.joinQueue(job: job.id, at: unit.house)
        try regate(unit, job: job.id)
        watchExpiry(unit)
        return false
    }

    enum Verdict: Equatable { case wait, run, skip(String) }

    /// A job that is forgotten has ended: without a word of how, it counts as one that did not succeed.
    static func verdict(_ condition: Condition, _ needs: [(job: UInt64, state: Wire.JobState?)]) -> Verdict {
        let bad = needs.first { $0.state.map { $0.isFinal && $0 != .succeeded } ?? true }
        let isOver = needs.allSatisfy { $0.state?.isFinal ?? true }
        switch condition {
        case .allSuccess:
            if let bad { return .skip(Reasons.needFailed(bad.job, bad.state)) }
            return isOver ? .run : .wait
        case .anyFailed:
            if bad != nil { return .run }
            return isOver ? .skip(Reasons.nothingFailed) : .wait
        case .always: return isOver ? .run : .wait
        }
    }
}
