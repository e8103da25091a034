// Archives in relayd's store: removed as soon as nobody needs them.

import Daemon
import Link
import Store
import Wire

extension Scheduler {
    /// A job that used this archive has ended.
    func releaseSource(_ unit: UnitOfWork, _ sha: Bytes32) throws {
        guard try unit.rows.retire(sha) else { return }
        unit.afterCommit { self.removeSource(sha) }
    }

    /// Uploads that no job has named in time, and removals that did not reach relayd. Comes back by itself.
    func sweepSources() {
        let lease = settings.uploadLease.components.seconds * 1000
        batch.event("sweep sources") { unit in
            for sha in try unit.rows.retireSources(givingUpBefore: unit.house - lease) {
                unit.afterCommit { self.removeSource(sha) }
            }
            // Whoever sends a new shape, or a new project, with every job leaves no more than that behind.
            try unit.rows.forgetPools(usedBefore: unit.house - self.settings.cooldown.wholeMilliseconds)
            try unit.rows.forgetShares()
            let last = try unit.rows.forgetShapes(after: self.lastShape, limit: Self.shapesAtOnce)
            unit.afterCommit { self.lastShape = last ?? 0 }
        }
        arm(.sweep, after: settings.sweep) { $0.sweepSources() }
    }

    private static let shapesAtOnce = 256

    /// Not while relayd names an archive, until that is written: it could be this one. The sweep comes back to it. An
    /// upload that is on its way is none: relayd gives it its name when it is asked to, and does one after the other.
    private func removeSource(_ sha: Bytes32) {
        guard relay.isReady, finishing == 0 else { return }
        relay.removeSource(sha) { failure in
            if let failure, failure.errorCode != .notFound {
                return self.log.warning("source not removed", ["sha256": sha.hex, "why": failure.text])
            }
            self.batch.event("source removed") { try $0.rows.forgetSource(sha) }
        }
    }
}
