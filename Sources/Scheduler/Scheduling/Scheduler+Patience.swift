// What ends by the clock without a runner: jobs that wait no longer.

import Daemon
import JobModel
import Link
import Posix
import Store
import Wire

extension Scheduler {
    /// The timer is set for the job whose time in the queue ends first.
    func watchExpiry(_ unit: UnitOfWork) {
        unit.afterCommit {
            self.batch.event("watch expiry") { unit in
                guard let next = try unit.rows.nextExpiry() else { return unit.afterCommit { self.disarm(.expiry) } }
                unit.afterCommit {
                    self.arm(.expiry, after: .milliseconds(max(next - unit.house, 1))) { $0.expire() }
                }
            }
        }
    }

    private func expire() {
        batch.event("expire") { unit in
            for id in try unit.rows.expired(at: unit.house, limit: 100) {
                let timeout = try unit.rows.schedule(ofJob: id).queueTimeoutSeconds
                try self.end(unit, job: id, on: .expired, reason: Reasons.expired(timeout))
            }
            self.watchExpiry(unit)
        }
    }
}
