// Every end: of a job, of a runner, and what is cleared away after them.

import Daemon
import JobModel
import Link
import Store
import Wire

extension Scheduler {
    /// Moves a job on; if that ends it: closes its attempt and lets relayd and the store forget what they held for it.
    /// Says whether the job moved.
    /// `settling`: those that wait for it are looked at; the caller does it otherwise.
    @discardableResult
    func end(
        _ unit: UnitOfWork, job: UInt64, on event: JobEvent, reason: String, settling: Bool = true
    ) throws -> Bool {
        guard case .moved(let state) = try unit.rows.advance(job: job, on: event, reason: reason, at: unit.now) else {
            return false
        }
        let attempt = try unit.rows.closeAttempt(ofJob: job)
        unit.afterCommit {
            self.forgetClocks(ofJob: job)
            self.log.info("job ended", ["job": "\(job)", "state": "\(state)", "reason": reason])
            if let attempt, attempt.told { self.settle(attempt.attempt) }
        }
        if let row = try unit.rows.job(job) {
            // The next of its group waits until the container of this one is seen to be gone.
            if row.group != nil, attempt?.told == true, let runner = try unit.rows.runner(ofJob: job) {
                try unit.rows.setFence(runner.id, for: job)
            }
            if let source = row.source { try releaseSource(unit, source.sha256) }
            if let group = row.group { try openGroup(unit, group, project: row.project) }
        }
        if settling { try follow(unit, [.needs(of: job, after: 0)]) }
        return true
    }

    /// Ends a job and takes its runner down, whatever the runner is doing.
    func endWithRunner(_ unit: UnitOfWork, job: UInt64, on event: JobEvent, reason: String) throws {
        let runner = try unit.rows.runner(ofJob: job)
        if event == .runnerLost {
            try endByFault(unit, job: job, reason: reason)
        } else {
            guard try end(unit, job: job, on: event, reason: reason) else { return }
        }
        if let runner { try tearDown(unit, runner.id, on: .jobEnded, reason: "") }
    }

    /// Moves a runner to TEARDOWN and has its container removed. Nothing happens if it is there already.
    func tearDown(_ unit: UnitOfWork, _ id: Bytes16, on event: RunnerEvent, reason: String) throws {
        let grant = try unit.rows.runner(id)?.grant
        let moved = try unit.rows.advance(runner: id, on: event, reason: Reasons.fit(reason, limit: 128)).moved
        guard moved else { return }
        unit.afterCommit {
            if let grant { self.discard(grant) }
            self.clear(id)
        }
    }

    /// Tells relayd and spawnerd. The row stays until spawnerd has confirmed.
    func clear(_ id: Bytes16) {
        attached.remove(id)
        detached.remove(id)
        asked.remove(id)
        exits[id] = nil
        keyless.remove(id)
        for key in [TimerKey.ready(id), .drain(id), .create(id), .attach(id), .wipe(id)] { disarm(key) }
        drop(id)
        remove(id)
    }

    func drop(_ id: Bytes16) {
        guard relay.isReady else { return }
        relay.dropRunner(id) { failure in
            if let failure { self.log.debug("runner not dropped", ["runner": id.hex, "why": failure.text]) }
        }
    }

    /// Until it succeeds.
    func remove(_ id: Bytes16) {
        guard spawner.isReady, removing.insert(id).inserted else { return }
        disarm(.remove(id))
        spawner.removeRunner(id) { failure in
            self.removing.remove(id)
            self.removed(id, failure)
        }
    }

    private func removed(_ id: Bytes16, _ failure: Failure?) {
        switch failure?.errorCode {
        case nil, .notFound:
            removalBackoff[id] = nil
            batch.event("removed") { unit in
                guard try unit.rows.runner(id)?.state == .teardown else { return }
                let fenced = try unit.rows.fencedJob(of: id)
                try unit.rows.advance(runner: id, on: .removed)
                if let fenced {
                    try self.regate(unit, job: fenced)
                    if let (project, group) = try unit.rows.group(ofJob: fenced) {
                        try self.openGroup(unit, group, project: project)
                    }
                }
                unit.dispatchNext()
            }
        case .disconnected, .shuttingDown:
            break
        default:
            if let failure { meter.countEngineError(failure) }
            log.warning("runner not removed", ["runner": id.hex, "why": failure?.text ?? ""])
            var backoff = removalBackoff[id] ?? Backoff(settings)
            arm(.remove(id), after: backoff.pause()) { $0.remove(id) }
            removalBackoff[id] = backoff
        }
    }

    // MARK: relayd's memory

    /// relayd may forget this attempt: its end is committed.
    func settle(_ attempt: Attempt) {
        guard relay.isReady else { return }
        relay.settleJob(attempt) { failure in
            switch failure?.errorCode {
            case nil, .notFound: self.batch.event("settled") { try $0.rows.noteSettled(attempt) }
            case .disconnected, .shuttingDown: break
            default: self.arm(.settle, after: self.settings.retryLongest) { $0.settleAll() }
            }
        }
    }

    /// Everything that has ended and that relayd has not confirmed.
    func settleAll() {
        batch.event("settle all") { unit in
            for attempt in try unit.rows.unsettledAttempts() { unit.afterCommit { self.settle(attempt) } }
        }
    }
}
