// Grants: the directory in which a runner finds its key, and later its job's secrets. brokerd makes, fills and wipes
// it; here is decided when. Every request is idempotent by runner, grant or attempt, so that it can be said again.

import Daemon
import JobModel
import Link
import Store
import Wire

extension Scheduler {
    /// brokerd is there, and has discarded what no row names: what it prepares from now on is safe from that.
    var brokerIsUsable: Bool { broker.isReady && grantsAreReconciled }

    // MARK: before the container

    /// A directory for a PROVISIONING runner; then spawnerd is asked.
    func prepare(_ id: Bytes16) {
        guard brokerIsUsable, preparing.insert(id).inserted else { return }
        broker.prepare(id) { result in
            self.preparing.remove(id)
            switch result {
            case .success(let grant):
                self.preparation.end()
                self.batch.event("prepared") { try self.prepared($0, id, grant) }
            case .failure(let failure): self.notPrepared(id, failure)
            }
        }
    }

    private func prepared(_ unit: UnitOfWork, _ id: Bytes16, _ grant: Bytes16) throws {
        guard let row = try unit.rows.runner(id), row.state == .provisioning, row.grant == nil else {
            return unit.afterCommit { self.discard(grant) }
        }
        try unit.rows.setGrant(grant, ofRunner: id)
        try askForContainer(unit, id)
    }

    private func notPrepared(_ id: Bytes16, _ failure: Failure) {
        // When brokerd is back, every runner without a grant is asked for again.
        if failure.isLostLink { return }
        pausePreparing(failure)
        batch.event("not prepared") { unit in
            try self.unavailable(unit, id, failure, reason: Reasons.waitsForPreparation(failure))
        }
    }

    /// No new runner is asked for during a pause; those that wait take jobs.
    func pausePreparing(_ failure: Failure) {
        log.warning("brokerd prepares no grants", ["code": failure.errorCode.name, "why": failure.text])
        guard let pause = preparation.begin(failure) else { return }
        arm(.prepare, after: pause) { scheduler in
            scheduler.preparation.tryAgain()
            scheduler.batch.dispatchNext()
        }
    }

    // MARK: what has been read

    /// The runner has read what lay there: its key, when it said hello, or its grant.
    func wipe(_ id: Bytes16, _ grant: Bytes16) {
        guard brokerIsUsable, wiping.insert(grant).inserted else { return }
        broker.wipe(grant) { failure in
            self.wiping.remove(grant)
            self.wiped(id, grant, failure)
        }
    }

    private func wiped(_ id: Bytes16, _ grant: Bytes16, _ failure: Failure?) {
        switch failure?.errorCode {
        case nil:
            batch.event("wiped") { unit in
                if try unit.rows.runner(id)?.state == .provisioning { try self.becomesIdle(unit, id) }
            }
        case .disconnected, .shuttingDown:
            // Asked for again when brokerd is back.
            break
        case .grantGone, .notFound:
            grantIsGone(id, failure ?? Failure(.grantGone, ""))
        default:
            log.warning("grant not wiped", ["runner": id.hex, "why": failure?.text ?? ""])
            arm(.wipe(id), after: settings.retryLongest) { $0.wipe(id, grant) }
        }
    }

    /// PROVISIONING to IDLE: from here on it may be given a job.
    private func becomesIdle(_ unit: UnitOfWork, _ id: Bytes16) throws {
        try unit.rows.advance(runner: id, on: .ready)
        if let pool = try unit.rows.runner(id)?.pool { unit.afterCommit { self.poolTrouble[pool] = nil } }
        if let job = try unit.rows.runner(id)?.job { try give(unit, job: job, to: id) } else { unit.dispatchNext() }
    }

    func grantIsGone(_ id: Bytes16, _ failure: Failure) {
        batch.event("grant gone") { unit in
            guard try unit.rows.runner(id)?.state == .provisioning else { return }
            // First the pause: the next dispatch is in the same commit.
            self.pausePreparing(failure)
            try self.lostGrant(unit, id, failure)
        }
    }

    /// A runner that is not of use without its grant. One that has its job has no need of the directory any more.
    func lostGrant(_ unit: UnitOfWork, _ id: Bytes16, _ failure: Failure) throws {
        guard let row = try unit.rows.runner(id), row.state == .provisioning else { return }
        let reason =
            failure.errorCode == .conflict
            ? Reasons.grantIsAnothers : Reasons.waitsForGrant(Failure(.grantGone, failure.text))
        if let job = row.job { try takeBack(unit, job: job, reason: reason) }
        try tearDown(unit, id, on: .failed, reason: reason)
    }

    /// No runner was told of it: it returns to its place in the queue.
    func takeBack(_ unit: UnitOfWork, job: UInt64, reason: String) throws {
        try unit.rows.closeAttempt(ofJob: job)
        try unit.rows.advance(job: job, on: .unassigned, reason: reason, at: unit.now)
        try unit.rows.trimHappenings(ofJob: job)
        watchExpiry(unit)
        unit.dispatchNext()
        unit.afterCommit { self.meter.forget(job) }
    }

    // MARK: the end

    /// The runner is on its way out, and with it whatever its grant was good for. If brokerd is away, Reconcile does
    /// it.
    func discard(_ grant: Bytes16) {
        guard broker.isReady else { return }
        broker.discard(grant) { failure in
            switch failure?.errorCode {
            case nil, .notFound, .grantGone, .disconnected, .shuttingDown: break
            default:
                self.log.warning("grant not discarded", ["why": failure?.text ?? ""])
                self.arm(.discard(grant), after: self.settings.retryLongest) { $0.discard(grant) }
            }
        }
    }
}

extension Failure {
    /// Nobody knows whether it was done; everything is said again when the link is back.
    var isLostLink: Bool { errorCode == .disconnected || errorCode == .shuttingDown }
}
