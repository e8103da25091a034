// A job that is given something: brokerd is asked for the grant between the commit of ASSIGNED and RunJob, so a runner
// that is told of a job finds what it needs, and a job of which brokerd releases nothing is one that no runner has
// heard of.

import Daemon
import JobModel
import Link
import Store
import Wire

extension Scheduler {
    /// For an open attempt, the first time or again. `taken` is what we know: then brokerd writes nothing.
    func askForGrant(_ unit: UnitOfWork, _ attempt: AttemptRow) throws {
        let job = attempt.attempt.job
        guard let row = try unit.rows.job(job), row.needsGrant, !row.isFinal else { return }
        guard let ticket = try unit.rows.ticket(ofJob: job) else {
            throw StoreError.damagedRow(DamagedRow(.spec(ofJob: job), "no ticket of job \(job)"))
        }
        guard let grant = try unit.rows.runner(attempt.runner)?.grant else {
            return try refuseGrant(unit, attempt.attempt, Failure(.grantGone, "its runner has none"))
        }
        let values = ticket.ownValues ? try unit.rows.gitlabWord(ofJob: job) : nil
        let request = BrokerEdge.Grant(
            ticket: ticket, grant: grant, runner: attempt.runner, attempt: attempt.attempt, taken: attempt.taken,
            values: values)
        unit.afterCommit { self.send(request) }
    }

    private func send(_ request: BrokerEdge.Grant) {
        // If brokerd is away, all of this is said again when it is back.
        guard brokerIsUsable, granting.insert(request.attempt).inserted else { return }
        broker.grant(request) { failure in
            self.granting.remove(request.attempt)
            if let failure { return self.notGranted(request, failure) }
            self.release.end()
            self.batch.event("granted") { try self.granted($0, request.attempt) }
        }
    }

    /// The grant lies there: now relayd is told.
    private func granted(_ unit: UnitOfWork, _ attempt: Attempt) throws {
        guard let row = try unit.rows.attempt(attempt), row.state == .open, !row.told else { return }
        try unit.rows.noteTold(attempt)
        try tell(unit, row)
    }

    private func notGranted(_ request: BrokerEdge.Grant, _ failure: Failure) {
        if failure.isLostLink { return }
        log.warning(
            "nothing released",
            ["job": "\(request.attempt.job)", "code": failure.errorCode.name, "why": failure.text])
        if failure.errorCode.retry == .later { pauseReleases(failure) }
        batch.event("not granted") { try self.refuseGrant($0, request.attempt, failure) }
    }

    /// Jobs that need a grant wait; the others go on.
    private func pauseReleases(_ failure: Failure) {
        guard let pause = release.begin(failure) else { return }
        arm(.release, after: pause) { scheduler in
            scheduler.release.tryAgain()
            scheduler.batch.dispatchNext()
        }
    }

    private func refuseGrant(_ unit: UnitOfWork, _ attempt: Attempt, _ failure: Failure) throws {
        guard let row = try unit.rows.attempt(attempt), row.state == .open,
            let job = try unit.rows.job(attempt.job)
        else { return }
        let isLater = failure.errorCode.retry == .later
        if row.told { return try refuseAgain(unit, row, job, failure) }
        if isLater {
            try takeBack(unit, job: job.id, reason: Reasons.waitsForGrant(failure))
        } else {
            try end(unit, job: job.id, on: .unrunnable, reason: Reasons.refusedByBroker(failure))
        }
        // It may have been written all the same: this runner is given to nobody else.
        try tearDown(unit, row.runner, on: .jobEnded, reason: Reasons.waitsForGrant(failure))
    }

    /// It was granted before, and brokerd has started anew since. A job that runs goes on with what it has; one that
    /// has not begun would wait for its grant in vain, and nobody knows how far it has come meanwhile.
    private func refuseAgain(_ unit: UnitOfWork, _ row: AttemptRow, _ job: JobRow, _ failure: Failure) throws {
        if failure.errorCode.retry == .later && failure.errorCode != .grantGone {
            return unit.afterCommit {
                self.arm(.grant(job.id), after: self.settings.retryLongest) { $0.grantAgain(job.id) }
            }
        }
        let hasBegun = job.state == .running || row.taken
        // What brokerd refuses for good it will not mask either, when relayd asks the next time.
        if failure.errorCode.retry == .later && hasBegun { return }
        try endWithRunner(
            unit, job: job.id, on: .runnerLost,
            reason: Reasons.lostGrant(failure, hasBegun: hasBegun))
    }

    private func grantAgain(_ job: UInt64) {
        batch.event("grant again") { unit in
            if let attempt = try unit.rows.openAttempt(ofJob: job) { try self.askForGrant(unit, attempt) }
        }
    }

    /// relayd says that the runner has read its grant. It waits until the directory is empty.
    func grantIsTaken(_ unit: UnitOfWork, _ attempt: Attempt) throws {
        guard let row = try fenced(unit, attempt) else { return }
        try unit.rows.noteTaken(attempt)
        if let grant = try unit.rows.runner(row.runner)?.grant { unit.afterCommit { self.wipe(row.runner, grant) } }
    }
}
