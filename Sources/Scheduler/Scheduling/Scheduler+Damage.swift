// A row that cannot be read: what it concerns is given up, and everybody else's work goes on.

import Daemon
import Store
import Wire

extension Scheduler {
    /// In the transaction that met it. True if something has changed, so that what met it is worth another try.
    func giveUp(_ unit: UnitOfWork, _ damage: DamagedRow) throws -> Bool {
        let given = try unit.rows.giveUp(damage, reason: Reasons.damaged(damage.what), at: unit.now)
        log.error(
            "a row of the database cannot be read",
            [
                "what": damage.what, "jobs": given.jobs.map(String.init).joined(separator: ","),
                "runners": given.runners.map(\.hex).joined(separator: ","),
            ])
        for job in given.jobs {
            if let (project, group) = try unit.rows.group(ofJob: job) {
                try openGroup(unit, group, project: project)
            }
            try follow(unit, [.needs(of: job, after: 0)])
        }
        unit.afterCommit {
            for job in given.jobs { self.forgetClocks(ofJob: job) }
            for attempt in given.attempts { self.settle(attempt) }
            for grant in given.grants { self.discard(grant) }
            for runner in given.runners { self.clear(runner) }
        }
        return given.isProgress
    }
}
