// Rows and logs that nobody keeps any more.

import Daemon
import JobModel
import Link
import Posix
import Store
import Wire

extension Scheduler {
    /// Jobs that ended long ago go, with their logs: first the log, then the row, so that no log is without a row. One
    /// round goes through all of them, some at a time, so that those that relayd cannot remove are in nobody's way.
    func sweepJobs() {
        guard let keep = settings.retention else { return }
        arm(.retention, after: settings.sweep) { $0.sweepJobs() }
        sweepDeliveries(keep)
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

    /// Deliveries go after their jobs, some with each sweep; that they have been here is known for ever.
    private func sweepDeliveries(_ keep: Duration) {
        batch.event("sweep deliveries") { unit in
            let limit = unit.house - keep.wholeMilliseconds
            let old = try unit.rows.oldDeliveries(before: limit, count: Self.sweptAtOnce)
            for delivery in old { try unit.rows.forget(delivery: delivery) }
            guard old.count == Self.sweptAtOnce else { return }
            unit.afterCommit {
                self.arm(.retention, after: min(self.settings.sweep, .seconds(1))) { $0.sweepJobs() }
            }
        }
    }
}
