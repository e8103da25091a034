// What relayd says. It faces the jobs, so it may have been taken over: it can end the attempts that are open, and
// nothing else. Everything may be said twice.

import Daemon
import JobModel
import Link
import Store
import Wire

extension Scheduler {
    func heard(_ event: RelayEdge.RelayEvent) {
        switch event {
        case .runnerReady(let ready):
            let link = relayLink
            batch.event("runner ready") { try self.runnerIsReady($0, ready.runner, over: link) }
        case .runnerLost(let lost): batch.event("runner lost") { try self.runnerIsLost($0, lost) }
        case .jobStarted(let started): batch.event("job started") { _ = try self.begun($0, started.attempt) }
        case .stepStarted(let step):
            batch.event("step started") { unit in
                guard let job = try self.begun(unit, step.attempt, step: step.index) else { return }
                try unit.rows.noteStep(job: job, began: step.index, at: unit.now)
            }
        case .stepFinished(let step):
            batch.event("step finished") { unit in
                guard let job = try self.begun(unit, step.attempt, step: step.result.index) else { return }
                try unit.rows.noteStep(job: job, ended: step.result)
            }
        case .grantTaken(let taken): batch.event("grant taken") { try self.grantIsTaken($0, taken.attempt) }
        case .jobFinished(let finished): batch.event("job finished") { try self.jobIsFinished($0, finished) }
        }
    }

    private func runnerIsReady(_ unit: UnitOfWork, _ id: Bytes16, over link: Int) throws {
        guard let row = try unit.rows.runner(id) else {
            // Ours by its label, and we know nothing of it: it was removed from the books.
            return unit.afterCommit {
                self.drop(id)
                self.remove(id)
            }
        }
        switch row.state {
        case .teardown: unit.afterCommit { self.drop(id) }
        case .provisioning:
            noteReady(unit, id, over: link)
            // It has read its key: that is wiped before anybody gives it a job.
            guard let grant = row.grant else { return try lostGrant(unit, id, Failure(.grantGone, "it has none")) }
            unit.afterCommit { self.wipe(id, grant) }
        case .busy:
            noteReady(unit, id, over: link)
            // After the rest of what relayd says in this pass, which may be that the job has ended.
            if let job = row.job { unit.afterCommit { self.tellAgain(job) } }
        case .pending, .idle:
            noteReady(unit, id, over: link)
            try unit.rows.advance(runner: id, on: .ready)
            unit.dispatchNext()
        }
    }

    private func noteReady(_ unit: UnitOfWork, _ id: Bytes16, over link: Int) {
        unit.afterCommit {
            self.keyless.remove(id)
            self.forgetAbsence(id)
            self.disarm(.ready(id))
            // Said before the link broke, and written only now: relayd may have lost the stream since.
            guard link == self.relayLink else { return }
            self.attached.insert(id)
            self.detached.remove(id)
            self.disarm(.attach(id))
        }
    }

    /// The same for a job that has such a step. relayd has looked, unless it was taken over: nothing is written then.
    private func begun(_ unit: UnitOfWork, _ attempt: Attempt, step: UInt16) throws -> UInt64? {
        guard let job = try begun(unit, attempt) else { return nil }
        if Int(step) < (try unit.rows.spec(ofJob: job).steps.count) { return job }
        unit.afterCommit {
            self.log.warning("relayd names a step that is not there", ["job": "\(job)", "step": "\(step)"])
        }
        return nil
    }

    /// The job of an open attempt, RUNNING from now on; nil for any other attempt, which relayd is told to forget.
    private func begun(_ unit: UnitOfWork, _ attempt: Attempt) throws -> UInt64? {
        guard let row = try fenced(unit, attempt) else { return nil }
        let job = row.attempt.job
        if try unit.rows.advance(job: job, on: .started, at: unit.now).moved, let job = try unit.rows.job(job) {
            unit.afterCommit { self.watchOverdue(job.id, timeout: job.timeoutSeconds) }
        }
        return job
    }

    /// The fence: only an attempt that is open, told, and of the epoch in which it was made is listened to.
    func fenced(_ unit: UnitOfWork, _ attempt: Attempt) throws -> AttemptRow? {
        if let row = try unit.rows.attempt(attempt), row.state == .open, row.told { return row }
        unit.afterCommit { self.settle(attempt) }
        return nil
    }

    private func jobIsFinished(_ unit: UnitOfWork, _ finished: RelayEdge.JobFinished) throws {
        guard let attempt = try fenced(unit, finished.attempt) else { return }
        let job = attempt.attempt.job
        let result = finished.result
        var reason = Reasons.fit(result.reason)
        if reason.isEmpty && result.state == .failed {
            reason = Reasons.failed(result, steps: try unit.rows.spec(ofJob: job).steps)
        }
        var event = Self.event(of: result.state)
        if event == .reportedCancelled, let row = try unit.rows.job(job) {
            if row.cancelGrace == nil {
                // A step can signal PID 1: that must not look like somebody's decision.
                event = .reportedFailure
                reason = "the runner was told to stop by a signal, and nobody had cancelled the job"
            } else if !row.reason.isEmpty {
                reason = row.reason
            }
        }
        try unit.rows.setResult(job: job, result, logBytes: finished.logBytes)
        // A runner that says it was stopped is believed that far, and no further: a step that has its user can make it
        // say so, and no job is tried again by its own word.
        try end(unit, job: job, on: event, reason: reason)
        try tearDown(unit, attempt.runner, on: .jobEnded, reason: "")
    }

    /// A state that is not an end is no end that we know.
    private static func event(of state: Wire.JobState) -> JobEvent {
        switch state {
        case .succeeded: .reportedSuccess
        case .failed: .reportedFailure
        case .cancelled: .reportedCancelled
        case .timedOut: .reportedTimeout
        default: .runnerLost
        }
    }

    private func runnerIsLost(_ unit: UnitOfWork, _ lost: RelayEdge.RunnerLost) throws {
        let id = lost.runner
        guard let row = try unit.rows.runner(id), row.state != .teardown else { return }
        let code = ErrorCode(rawValue: lost.code)
        if code == .runnerViolation || code == .conflict {
            let reason = code == .conflict ? Reasons.unmaskable : Reasons.violation(lost.reason)
            log.warning(
                "runner is of no use any more", ["job": Self.name(row.job), "runner": id.hex, "why": lost.reason])
            if let job = row.job { try end(unit, job: job, on: .runnerLost, reason: reason) }
            return try tearDown(unit, id, on: .failed, reason: reason)
        }
        if code == .deadlineExceeded {
            // It was asked and did not answer: it is of no use to anybody, and its container has to go.
            log.warning("runner does not answer", ["runner": id.hex, "why": lost.reason])
            let reason = Reasons.fit("the runner does not answer: \(lost.reason)")
            unit.afterCommit { self.noteTrouble(row.pool, Failure(.deadlineExceeded, reason)) }
            try lose(unit, row, on: .runnerLost, reason: reason)
            return try tearDown(unit, id, on: .failed, reason: reason)
        }
        unit.afterCommit {
            self.attached.remove(id)
            self.detached.insert(id)
            // The stream is gone and the container may live: attach anew. If it has ended, that ends its job.
            if self.exits[id] != nil { self.concludeExit(id) } else { self.attach(id) }
        }
    }
}
