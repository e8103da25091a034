// What spawnerd says of containers, and attaching to them anew.

import Daemon
import JobModel
import Link
import Store
import Wire

extension Scheduler {
    /// A container has ended (`exit`), or is not there (nil). If its runner has a job, relayd may still be reading the
    /// last records: the job's own end counts if it arrives in time.
    func noteExit(_ id: Bytes16, _ exit: SpawnerEdge.RunnerExit?) {
        batch.event("container ended") { unit in
            guard let row = try unit.rows.runner(id) else {
                return unit.afterCommit { self.remove(id) }
            }
            if row.state == .teardown || row.state == .pending { return }
            unit.afterCommit {
                if exit != nil || self.exits[id] == nil { self.exits[id] = .some(exit) }
                // Its job's last records may be on their way, or the reason of its end.
                let isDrained = row.state == .busy ? exit != nil && self.detached.contains(id) : exit != nil
                if row.state == .idle || isDrained { self.concludeExit(id) } else { self.drain(id) }
            }
        }
    }

    /// Somebody had not found it before it was made. It lives, and that word is old.
    func forgetAbsence(_ id: Bytes16) {
        guard let noted = exits[id], noted == nil else { return }
        exits[id] = nil
        disarm(.drain(id))
    }

    private func drain(_ id: Bytes16) {
        if isArmed(.drain(id)) { return }
        arm(.drain(id), after: settings.drain) { scheduler in
            // What relayd has on disk is not lost while it is away.
            if scheduler.relay.isReady { scheduler.concludeExit(id) } else { scheduler.drain(id) }
        }
    }

    /// The runner is gone, and its job with it.
    func concludeExit(_ id: Bytes16) {
        let exit = exits[id] ?? nil
        batch.event("runner gone") { unit in
            guard let row = try unit.rows.runner(id), row.state != .teardown else { return }
            let memory = try unit.rows.shape(row.shape).resources.memoryBytes
            let wasReady = row.state == .idle || row.state == .busy
            let reason = Reasons.exited(exit, memory: memory, wasReady: wasReady)
            if row.state == .provisioning {
                unit.afterCommit { self.noteTrouble(row.pool, Failure(.runnerGone, reason)) }
            }
            try self.lose(unit, row, on: exit?.outOfMemory == true ? .outOfMemory : .runnerLost, reason: reason)
            try self.tearDown(unit, id, on: .exited, reason: reason)
        }
    }

    /// A runner ends under its job. If it has perhaps found no key, and so did not begin, that is not the job's end.
    func lose(_ unit: UnitOfWork, _ row: RunnerRow, on event: JobEvent, reason: String) throws {
        guard let job = row.job else { return }
        if row.state == .provisioning && keyless.contains(row.id) {
            try takeBack(unit, job: job, reason: Reasons.keyless)
        } else if event == .runnerLost, try unit.rows.openAttempt(ofJob: job)?.told == false,
            exits[row.id] == .some(nil)
        {
            // Somebody did not find its container, and no runner was ever told of it: nothing has begun.
            try takeBack(unit, job: job, reason: Reasons.waiting(reason))
        } else {
            if event == .runnerLost { return try endByFault(unit, job: job, reason: reason) }
            try end(unit, job: job, on: event, reason: reason)
        }
    }

    /// Has spawnerd hand relayd a new stream of a runner that relayd does not hold. Until relayd says that it is ready.
    func attach(_ id: Bytes16) {
        if attached.contains(id) || creating.contains(id) || !relay.isReady || !spawner.isReady { return }
        batch.event("attach") { unit in
            guard let row = try unit.rows.runner(id), [.provisioning, .idle, .busy].contains(row.state) else { return }
            unit.afterCommit { self.attachNow(id, row.job) }
        }
    }

    private func attachNow(_ id: Bytes16, _ job: UInt64?) {
        guard !attached.contains(id), relay.isReady, attaching.insert(id).inserted else { return }
        spawner.attachRunner(id) { failure in
            self.attaching.remove(id)
            switch failure?.errorCode {
            case nil: self.arm(.attach(id), after: self.settings.attachAgain) { $0.attach(id) }
            case .runnerGone, .notFound: self.noteExit(id, nil)
            case .conflict:
                // It was made and never started.
                self.batch.event("create again") { try self.askForContainer($0, id) }
            default:
                if let failure { self.meter.countEngineError(failure) }
                self.log.warning(
                    "runner not attached",
                    ["job": Self.name(job), "runner": id.hex, "why": failure?.text ?? ""])
                self.arm(.attach(id), after: self.settings.retryLongest) { $0.attach(id) }
            }
        }
    }
}
