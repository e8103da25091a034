// Archives in relayd's store: courierd fetches those of deliveries; all are removed as soon as nobody needs them.

import Daemon
import ForgeModel
import Link
import Posix
import ProjectModel
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

    // MARK: those of deliveries

    func fetch(_ errand: DeliveryErrand, _ place: CourierEdge.ForgePlace) {
        courier.fetchSource(.init(place: place, commit: errand.work.source.hex)) { result, fds in
            var fds = fds
            guard self.isUnderWay(errand) else { return }
            switch result {
            case .failure(let failure): self.failed(errand, failure)
            case .success(let word):
                guard let archive = fds.takeFirst() else {
                    return self.failed(errand, Failure(.internal, "courierd sent no archive"))
                }
                self.store(errand, archive, word)
            }
        }
    }

    private func store(_ errand: DeliveryErrand, _ archive: consuming FileDescriptor, _ word: SourceWord) {
        guard relay.isReady else { return rest(errand, Failure(.disconnected, "relayd is away")) }
        // No archive is removed meanwhile: it could be this one.
        finishing += 1
        relay.storeArchive(archive, size: word.source.size) { result in
            switch result {
            case .failure(let failure):
                self.finishing -= 1
                if self.isUnderWay(errand) { self.failed(errand, Self.refusalByRelay(failure)) }
            case .success(let source) where source != word.source:
                self.finishing -= 1
                if self.isUnderWay(errand) {
                    self.leaveOut(errand, "relayd has stored another source than courierd has fetched")
                }
            case .success(let source):
                self.batch.request(
                    "source of a delivery",
                    fail: { failure in
                        self.finishing -= 1
                        if self.isUnderWay(errand) { self.rest(errand, failure) }
                    },
                    { unit in
                        try unit.rows.noteUpload(source, at: unit.house)
                        unit.afterCommit {
                            self.finishing -= 1
                            errand.source = word
                            self.goOn(errand)
                        }
                    })
            }
        }
    }
}
