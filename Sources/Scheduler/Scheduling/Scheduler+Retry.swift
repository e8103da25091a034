// Faults of the house: a runner that is lost under its job. By policy the job is tried again, as another attempt, when
// the container of the old one is seen to be gone; a job's own failure never is.

import Daemon
import JobModel
import Link
import Store
import Wire

extension Scheduler {
    /// LOST, or QUEUED again if the policy has an attempt left. The runner still holds the job: its teardown follows.
    func endByFault(_ unit: UnitOfWork, job id: UInt64, reason: String) throws {
        guard let job = try unit.rows.job(id), try mayRetry(unit, job) else {
            try end(unit, job: id, on: .runnerLost, reason: reason)
            return
        }
        let runner = try unit.rows.runner(ofJob: id)
        let text = Reasons.retries(reason, attempt: job.attempts + 1)
        guard try unit.rows.advance(job: id, on: .retried, reason: text, at: unit.now).moved else { return }
        let attempt = try unit.rows.closeAttempt(ofJob: id)
        try unit.rows.noteFault(job: id)
        // A new wait, and a new patience.
        try unit.rows.joinQueue(job: id, at: unit.house)
        watchExpiry(unit)
        try unit.rows.trimHappenings(ofJob: id)
        if let runner { try unit.rows.setFence(runner.id, for: id) }
        try regate(unit, job: id)
        unit.afterCommit {
            self.forgetClocks(ofJob: id)
            self.meter.countRetry()
            self.log.warning("job is tried again", ["job": "\(id)", "why": reason])
            if let attempt, attempt.told { self.settle(attempt.attempt) }
        }
    }

    private func mayRetry(_ unit: UnitOfWork, _ job: JobRow) throws -> Bool {
        guard job.state == .assigned || job.state == .running, job.cancelGrace == nil else { return false }
        return job.faults < UInt32(try unit.rows.schedule(ofJob: job.id).retries)
    }

    func forgetClocks(ofJob job: UInt64) {
        for key in [TimerKey.cancel(job), .overdue(job), .tell(job), .grant(job)] { disarm(key) }
        meter.forget(job)
        refusals[job] = nil
        works[job] = nil
    }
}
