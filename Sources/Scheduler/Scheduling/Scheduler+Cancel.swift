// Cancellation, in every state of a job.

import Daemon
import JobModel
import Link
import Store
import Wire

/// Who ends a job before its own end.
enum Cancellation {
    case asked
    /// By a newer job of its group.
    case replaced(by: UInt64)

    var reason: String {
        switch self {
        case .asked: Reasons.withdrawn
        case .replaced(let job): Reasons.replaced(by: job)
        }
    }

    /// What the history adds.
    var note: String {
        switch self {
        case .asked: ""
        case .replaced: ": \(reason)"
        }
    }
}

extension Scheduler {
    /// Longer than that nobody waits.
    static let longestGrace: UInt32 = 3600

    /// The state that the job has now. Throws `not_found`.
    func cancel(
        _ unit: UnitOfWork, job id: UInt64, graceSeconds: UInt32, _ cause: Cancellation = .asked
    ) throws -> Wire.JobState {
        guard let job = try unit.rows.job(id) else { throw Failure.noSuchJob(id) }
        if job.isFinal { return job.state }
        let grace = min(graceSeconds, Self.longestGrace)
        // Asked for again, it does not begin anew: a shorter one counts, from now on.
        if let before = job.cancelGrace, grace >= before { return job.state }
        guard let attempt = try unit.rows.openAttempt(ofJob: id), attempt.told else {
            // No runner has heard of it. One that was being made for it, or waits for its grant, is of no use to
            // anybody else.
            let runner = try unit.rows.runner(ofJob: id)
            try end(unit, job: id, on: .withdrawn, reason: cause.reason)
            if let runner {
                try tearDown(unit, runner.id, on: runner.state == .busy ? .jobEnded : .released, reason: "")
            }
            return .cancelled
        }
        try unit.rows.advance(job: id, on: .cancelAsked, at: unit.now)
        try unit.rows.noteCancel(job: id, graceSeconds: grace)
        // What its runner says at the end is only that it was told to.
        if case .replaced = cause { try unit.rows.noteReason(job: id, cause.reason) }
        // Once: whoever asks again and again must not fill the history.
        if job.cancelGrace == nil {
            try unit.rows.note(job: id, "asked to end within \(grace) s\(cause.note)", at: unit.now)
        }
        unit.afterCommit {
            self.watchCancel(id, graceSeconds: grace)
            self.askToCancel(attempt.attempt, graceSeconds: grace)
        }
        return job.state
    }

    func askToCancel(_ attempt: Attempt, graceSeconds: UInt32) {
        guard relay.isReady else { return }
        relay.cancelJob(attempt, graceSeconds: graceSeconds) { failure in
            // relayd may not know of it yet; it is said again with RunJob, and the clock runs in any case.
            if let failure { self.log.info("cancel not passed on", ["job": "\(attempt.job)", "why": failure.text]) }
        }
    }

    /// For a runner that does not end its job: after the grace and a margin the container goes, and the job with it.
    func watchCancel(_ job: UInt64, graceSeconds: UInt32) {
        arm(.cancel(job), after: .seconds(Int64(graceSeconds)) + settings.cancelMargin) { scheduler in
            scheduler.batch.event("cancel forced") { unit in
                let why = try unit.rows.job(job)?.reason ?? ""
                let reason = Reasons.cancelForced(graceSeconds, why)
                try scheduler.endWithRunner(unit, job: job, on: .cancelForced, reason: reason)
            }
        }
    }
}
