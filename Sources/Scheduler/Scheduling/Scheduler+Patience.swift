// What ends by the clock without a runner: jobs that wait no longer, and rows and logs that nobody keeps any more.

import Daemon
import JobModel
import Link
import Posix
import Store
import Wire

extension Scheduler {
    // MARK: in the queue

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

    // MARK: retention

    /// Jobs that ended long ago go, with their logs: first the log, then the row, so that no log is without a row. One
    /// round goes through all of them, some at a time, so that those that relayd cannot remove are in nobody's way.
    func sweepJobs() {
        guard let keep = settings.retention else { return }
        arm(.retention, after: settings.sweep) { $0.sweepJobs() }
        guard relay.isReady else { return }
        batch.event("sweep jobs") { unit in
            let limit = unit.house - keep.wholeMilliseconds
            let old = try unit.rows.ended(before: limit, after: self.lastSwept, count: Self.sweptAtOnce)
            unit.afterCommit {
                self.lastSwept = old.count == Self.sweptAtOnce ? old.last : nil
                for job in old { self.removeLogs(job.id) }
                // There are more.
                if self.lastSwept != nil {
                    self.arm(.retention, after: min(self.settings.sweep, .seconds(1))) { $0.sweepJobs() }
                }
            }
        }
    }

    private static let sweptAtOnce = 100

    private func removeLogs(_ job: UInt64) {
        guard relay.isReady else { return }
        relay.removeLogs(job) { failure in
            // A job with very many attempts goes in pieces.
            if failure?.errorCode == .limitReached { return self.removeLogs(job) }
            // What relayd could not do is tried again with the next sweep.
            if let failure { return self.log.warning("logs not removed", ["job": "\(job)", "why": failure.text]) }
            self.batch.event("forget job") { try $0.rows.forget(job: job) }
        }
    }
}
