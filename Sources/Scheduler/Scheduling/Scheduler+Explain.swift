// Why a job waits, or why it ended: what `bulkhead why` shows. The order is the answer: first what has to change first.
// Each kind has one sentence and one piece of advice. Scheduler+WhyQueued has what keeps a job in the queue.

import Daemon
import JobWire
import Link
import Store
import Wire

extension Scheduler {
    typealias Why = SchedulerEdge.Why

    /// At least one; the first is what to look at first.
    func whys(_ unit: UnitOfWork, _ job: JobRow) throws -> [Why] {
        var found: [Why]
        switch job.state {
        case .blocked: found = try whyNever(unit, job, try floor(unit)) + [try whyBlocked(unit, job)]
        case .held:
            let change = try unit.rows.delivery(ofJob: job.id).map { " (\($0.what))" } ?? ""
            found = [
                Why(
                    .needsApproval, "it waits for somebody's approval\(change)",
                    "look at its commits, then: bulkhead approve \(job.id)")
            ]
        case .queued: found = try whyQueued(unit, job, try outlook(unit))
        case .assigned: found = [try whyAssigned(unit, job)]
        case .running:
            let text = job.reason.isEmpty ? "it runs" : "it runs, and has been told to end: \(job.reason)"
            found = [Why(.runs, text, "bulkhead log \(job.id) --follow")]
            if !relay.isReady { found.insert(houseWords(.relayIsAway), at: 0) }
        default: found = [try whyEnded(unit, job)]
        }
        let since = try since(unit, job)
        for index in found.indices where Self.isOfJob(found[index].kind) { found[index].sinceMs = since }
        return Array(found.prefix(Self.whysAtMost))
    }

    /// As many as the edge carries.
    private static let whysAtMost = 16

    /// Since when it is where it is.
    func since(_ unit: UnitOfWork, _ job: JobRow) throws -> Int64 {
        if let over = job.finishedMs { return over }
        if job.state == .running, let began = job.startedMs { return began }
        return try unit.rows.happenings(ofJob: job.id).last?.atMs ?? job.createdMs
    }

    /// What is written down of the job itself. Since when the house is in its way the house knows; since when others
    /// are, nobody does.
    private static func isOfJob(_ kind: SchedulerEdge.WhyKind) -> Bool {
        switch kind {
        case .runs, .ended, .needsOtherJobs, .needsApproval, .groupIsBusy, .tagNotAvailable, .oldAttemptIsClearedAway,
            .runnerIsStarting, .grantIsBeingMade:
            true
        default: false
        }
    }

    func whyBlocked(_ unit: UnitOfWork, _ job: JobRow) throws -> Why {
        let needs = try unit.rows.needs(ofJob: job.id).filter { !($0.state?.isFinal ?? true) }
        let list = needs.map { "\($0.job) (\($0.state?.label ?? "gone"))" }.joined(separator: ", ")
        let first = needs.first.map { "\($0.job)" } ?? ""
        return Why(
            .needsOtherJobs, "it needs jobs that have not ended: \(list)",
            "wait, or see what they wait for: bulkhead why \(first)")
    }

    private func whyAssigned(_ unit: UnitOfWork, _ job: JobRow) throws -> Why {
        if !spawner.isReady { return houseWords(.spawnerIsAway) }
        if !relay.isReady { return houseWords(.relayIsAway) }
        if job.needsGrant && !brokerIsUsable { return houseWords(.brokerIsAway) }
        if house.engineHasTrouble { return houseWords(.engine) }
        let isLong = unit.now - (try since(unit, job)) > Self.startIsLong
        guard let runner = try unit.rows.runner(ofJob: job.id), runner.state == .provisioning else {
            if job.needsGrant {
                return Why(
                    .grantIsBeingMade, "its runner is there, and its secrets are being laid out",
                    isLong ? "that takes long; see brokerd's log" : "wait a moment")
            }
            return Why(
                .runnerIsStarting, "its runner was told to begin",
                isLong ? "that takes long; see relayd's log" : "wait a moment")
        }
        let limit = settings.readyLimit.components.seconds
        return isLong
            ? Why(
                .runnerIsStarting, "its container is being made, and that takes longer than it should",
                "the engine is slow: see the machine's load and the engine's log; after \(limit) s without a word of "
                    + "the runner another attempt follows")
            : Why(.runnerIsStarting, "its container is being made", "wait; a container takes about half a second")
    }

    /// Milliseconds after which a start is no matter of course any more.
    private static let startIsLong: Int64 = 5000

    // MARK: over

    /// The state stands beside it.
    private func whyEnded(_ unit: UnitOfWork, _ job: JobRow) throws -> Why {
        let usual = job.state == .succeeded ? "all that it had to do is done" : "nothing more is known"
        return Why(.ended, job.reason.isEmpty ? usual : job.reason, try adviceAfterEnd(unit, job))
    }

    private func adviceAfterEnd(_ unit: UnitOfWork, _ job: JobRow) throws -> String {
        if job.state == .succeeded { return "" }
        let again = try wayToRunAgain(unit, job)
        switch job.state {
        case .lost: return try adviceAfterLoss(unit, job, again)
        case .cancelled: return try adviceAfterCancellation(unit, job, again)
        case .failed where job.startedMs == nil: return "mend what the reason names, and \(again)"
        case .timedOut where job.startedMs == nil:
            return "raise its queue_timeout, or see what others wait for: bulkhead pools"
        case .timedOut: return "bulkhead log \(job.id); raise the limit that passed, or find out what hangs"
        default: return "bulkhead log \(job.id)"
        }
    }

    /// What the reader can do. A delivery makes its jobs once, so that its forge sends it again is of no use.
    private func wayToRunAgain(_ unit: UnitOfWork, _ job: JobRow) throws -> String {
        guard let delivery = try unit.rows.delivery(ofJob: job.id) else { return "submit it again" }
        return delivery.number == 0
            ? "push again: git commit --allow-empty, git push" : "push to the change again, or close and reopen it"
    }

    /// `retries` are for what spawnerd and the engine say. A runner's own word is a step's, if that has its user.
    private func adviceAfterLoss(_ unit: UnitOfWork, _ job: JobRow, _ again: String) throws -> String {
        if job.result != nil || job.reason.hasPrefix(Reasons.violation) {
            return "see what it had done, and \(again); its runner itself said so, and on a runner's own word "
                + "nothing is tried again, whatever its `retries`"
        }
        let retries = try unit.rows.schedule(ofJob: job.id).retries
        return retries == 0
            ? "the fault was not the job's: \(again), or give it `retries`"
            : "the fault was not the job's: \(again); its `retries` are \(retries)"
    }

    private func adviceAfterCancellation(_ unit: UnitOfWork, _ job: JobRow, _ again: String) throws -> String {
        if let newer = Reasons.replacer(job.reason) {
            return "nothing, if job \(newer) is what you want; its group has cancel_in_progress: bulkhead job \(newer)"
        }
        guard Reasons.isSkipped(job.reason) else { return "if that was not meant, \(again)" }
        let bad = try unit.rows.needs(ofJob: job.id).first { $0.state.map { $0.isFinal && $0 != .succeeded } ?? true }
        guard let bad else { return "nothing: it is only for when one of them fails" }
        return bad.state == nil
            ? "submit both again" : "mend that one: bulkhead why \(bad.job), then submit both again"
    }
}

extension SchedulerEdge.Why {
    init(_ kind: SchedulerEdge.WhyKind, _ text: String, _ advice: String) {
        self.init(kind: kind, text: Reasons.fit(text), advice: Reasons.fit(advice), sinceMs: 0)
    }
}
