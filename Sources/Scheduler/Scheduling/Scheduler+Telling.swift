// From a runner that is ready to a runner that has its job.

import Daemon
import JobModel
import Link
import Store
import Wire

extension Scheduler {
    /// IDLE to BUSY, then relayd is told; if the job is given something, after brokerd has laid it out. The attempt is
    /// open already.
    func give(_ unit: UnitOfWork, job: UInt64, to runner: Bytes16) throws {
        guard let attempt = try unit.rows.openAttempt(ofJob: job), let row = try unit.rows.job(job) else { return }
        try unit.rows.advance(runner: runner, on: .taken)
        if row.needsGrant { return try askForGrant(unit, attempt) }
        try unit.rows.noteTold(attempt.attempt)
        try tell(unit, attempt)
    }

    /// Tells relayd of an open attempt, for the first time or again: the attempt makes repetitions harmless.
    func tell(_ unit: UnitOfWork, _ attempt: AttemptRow) throws {
        let job = attempt.attempt.job
        guard let row = try unit.rows.job(job), !row.isFinal else { return }
        let request = RelayEdge.RunJob(
            runner: attempt.runner, attempt: attempt.attempt, definition: try unit.rows.definition(of: row))
        // Of another attempt the wait would be that of the one before, too.
        let isStart = !attempt.told && row.faults == 0
        let waited = Duration.milliseconds(unit.house - row.queuedAt)
        let now = ContinuousClock.now
        unit.afterCommit {
            if isStart { self.meter.told(job, after: waited + (ContinuousClock.now - now)) }
            self.refusals[job] = nil
            if !self.isArmed(.overdue(job)) { self.watchOverdue(job, timeout: row.timeoutSeconds) }
            self.send(request, cancelGrace: row.cancelGrace)
        }
    }

    /// If the job is still at an attempt of which a runner has been told.
    func tellAgain(_ job: UInt64) {
        batch.event("tell again") { unit in
            if let attempt = try unit.rows.openAttempt(ofJob: job), attempt.told { try self.tell(unit, attempt) }
        }
    }

    private func send(_ request: RelayEdge.RunJob, cancelGrace: UInt32?) {
        guard relay.isReady else { return }
        relay.runJob(request) { failure in
            if let failure { self.notTold(request, failure) }
        }
        if let cancelGrace { askToCancel(request.attempt, graceSeconds: cancelGrace) }
    }

    /// relayd did not take the job.
    private func notTold(_ request: RelayEdge.RunJob, _ failure: Failure) {
        let job = request.attempt.job
        switch failure.errorCode {
        case .disconnected, .shuttingDown:
            // The runner is heard of again when relayd is back.
            break
        case .runnerGone:
            attached.remove(request.runner)
            attach(request.runner)
        case .deadlineExceeded, .notReady, .storageFull, .internal, .limitReached:
            log.warning("job not told", ["job": "\(job)", "code": failure.errorCode.name, "why": failure.text])
            arm(.tell(job), after: settings.retryLongest) { $0.tellAgain(job) }
        default:
            batch.event("job refused") { unit in
                guard try unit.rows.attempt(request.attempt)?.state == .open,
                    try unit.rows.job(job)?.state == .assigned
                else { return }
                try self.end(unit, job: job, on: .unrunnable, reason: Reasons.refusedByRelay(failure))
                try self.tearDown(unit, request.runner, on: .jobEnded, reason: "")
            }
        }
    }

    /// The runner enforces the timeout; this is for one that does not. Counted anew after a restart and at the
    /// beginning.
    func watchOverdue(_ job: UInt64, timeout: UInt32) {
        let most = Int64(timeout) * 1000 + settings.timeoutMargin.wholeMilliseconds
        works[job] = Work(since: now, until: now + UInt64(max(most, 0)) * 1_000_000)
        watchOverdue(job, timeout, after: .seconds(Int64(timeout)))
    }

    private func watchOverdue(_ job: UInt64, _ timeout: UInt32, after pause: Duration) {
        arm(.overdue(job), after: pause + settings.timeoutMargin) { scheduler in
            // It may have ended in time: relayd will say so.
            if !scheduler.relay.isReady { return scheduler.watchOverdue(job, timeout, after: .zero) }
            scheduler.batch.event("overdue") { unit in
                try scheduler.endWithRunner(unit, job: job, on: .overdue, reason: Reasons.overdue(timeout))
            }
        }
    }
}
