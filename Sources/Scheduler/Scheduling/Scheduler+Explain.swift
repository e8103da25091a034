// Why a job waits, or why it ended: what `bulkhead why` shows. The order is the answer: first what has to change first.
// Each kind has one sentence and one piece of advice.

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
        case .blocked: found = [try whyBlocked(unit, job)]
        case .held:
            found = [Why(.needsApproval, "it waits for somebody's approval", "whoever may approve it decides")]
        case .queued: found = try whyQueued(unit, job, try outlook(unit))
        case .assigned: found = [try whyAssigned(unit, job)]
        case .running:
            found = [Why(.runs, "it runs", "bulkhead log \(job.id) --follow")]
            if !relay.isReady { found.insert(houseWords(.relayIsAway), at: 0) }
        default: found = [whyEnded(job)]
        }
        let since = try since(unit, job)
        for index in found.indices where Self.isOfJob(found[index].kind) { found[index].sinceMs = since }
        return found
    }

    /// Since when it is where it is.
    private func since(_ unit: UnitOfWork, _ job: JobRow) throws -> Int64 {
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

    private func whyBlocked(_ unit: UnitOfWork, _ job: JobRow) throws -> Why {
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
        guard let runner = try unit.rows.runner(ofJob: job.id), runner.state == .provisioning else {
            return job.needsGrant
                ? Why(.grantIsBeingMade, "its runner is there, and its secrets are being laid out", "wait a moment")
                : Why(.runnerIsStarting, "its runner was told to begin", "wait a moment")
        }
        return Why(.runnerIsStarting, "its container is being made", "wait; a container takes about half a second")
    }

    private func whyEnded(_ job: JobRow) -> Why {
        let text = job.reason.isEmpty ? job.state.label : "\(job.state.label): \(job.reason)"
        let advice =
            switch job.state {
            case .succeeded: ""
            case .lost: "the fault was not the job's: submit it again, or give it `retries`"
            case .cancelled: "submit it again, if that was not meant"
            case .failed where job.startedMs == nil: "mend what the reason names, and submit it again"
            case .timedOut where job.startedMs == nil:
                "raise its queue_timeout, or see what others wait for: bulkhead pools"
            case .timedOut: "bulkhead log \(job.id); raise the limit that passed, or find out what hangs"
            default: "bulkhead log \(job.id)"
            }
        return Why(.ended, Reasons.fit(text), advice)
    }

    // MARK: in the queue

    /// What a job that waits waits for, for a list; all of it has one outlook.
    func waitingReason(_ unit: UnitOfWork, _ job: JobRow, _ outlook: Outlook) throws -> String {
        switch job.state {
        case .blocked: Reasons.waiting(try whyBlocked(unit, job).text)
        case .queued: Reasons.waiting(try whyQueued(unit, job, outlook).first?.text ?? "")
        default: ""
        }
    }

    func floor(_ unit: UnitOfWork) throws -> Floor {
        try Floor(
            unit.rows, host: host, settings: settings, shapes: shapes,
            heldDevices: Set(deviceTrouble.filter(\.value.isPaused).keys), stuck: Set(removalBackoff.keys))
    }

    private func whyQueued(_ unit: UnitOfWork, _ job: JobRow, _ outlook: Outlook) throws -> [Why] {
        if let gate = try whyGated(unit, job) { return [gate] }
        let floor = outlook.floor
        let shape = try shapes.shape(job.shape, unit.rows)
        let pool = Pool(shape: job.shape, trust: job.trust)
        var found = hindrances(pool, shape, needsGrant: job.needsGrant, floor).map { words($0, shape, floor) }
        if found.isEmpty, let reserved = try whyReserved(unit, job, shape, outlook) { found.append(reserved) }
        if found.isEmpty, !job.reason.isEmpty {
            var why = Why(
                .runnerCannotBeMade, job.reason, "it is tried again by itself; mend what the reason names")
            why.sinceMs = try since(unit, job)
            found.append(why)
        }
        let (ahead, isMore) = try ahead(unit, of: job, outlook)
        if ahead > 0 {
            found.append(
                Why(
                    .behindOthers,
                    "\(isMore ? "more than " : "")\(ahead) jobs are served before it: of higher priority, "
                        + "or of projects that had less",
                    "wait, or submit it with a higher `priority`"))
        }
        // Beside a reason it would be no news, and beside one that does not pass by itself it would be false.
        return found.isEmpty ? [Why(.nextInLine, "it is among the next in line", "wait a moment")] : found
    }

    private func whyGated(_ unit: UnitOfWork, _ job: JobRow) throws -> Why? {
        switch job.gate {
        case .open: return nil
        case .fence:
            return Why(
                .oldAttemptIsClearedAway, "attempt \(job.attempts) is lost, and its container is not seen to be gone",
                "wait; if the engine hangs, mend it: nothing runs twice at once")
        case .tags:
            let missing = try unit.rows.schedule(ofJob: job.id).tags.filter { !settings.tags.contains($0) }
            let has = settings.tags.isEmpty ? "none" : settings.tags.sorted().joined(separator: ", ")
            return Why(
                .tagNotAvailable, "no host here has the tags: \(missing.joined(separator: ", ")); it has: \(has)",
                "mend the job's tags, or give the host these: bulkhead up --tags ...")
        case .group:
            let group = job.group ?? ""
            guard let holder = try unit.rows.holder(ofGroup: group, project: job.project, besides: job.id) else {
                return Why(.groupIsBusy, "another job of its group '\(group)' is before it", "wait")
            }
            return Why(
                .groupIsBusy, "job \(holder) of its group '\(group)' is at work, or its container is not gone yet",
                "wait, or end that one: bulkhead cancel \(holder)")
        }
    }

    /// What keeps jobs of this pool from runners.
    func hindrances(_ pool: Pool, _ shape: RunnerShape, needsGrant: Bool, _ floor: Floor) -> [Hindrance] {
        let hasDevices = shape.gpus.map { floor.vendorToKeep(for: $0) != nil } ?? true
        return Hindrance.all(
            house,
            .init(
                needsGrant: needsGrant, hasIdle: floor.hasIdle(pool), hasPlace: floor.hasPlace,
                room: floor.room(for: shape), hasDevices: hasDevices))
    }

    private func words(_ hindrance: Hindrance, _ shape: RunnerShape, _ floor: Floor) -> Why {
        switch hindrance {
        case .places:
            return Why(
                hindrance.kind, "all \(settings.runnerLimit) runners are in use",
                "wait, or allow more: bulkhead up --max-runners N")
        case .processors, .memory:
            let option = hindrance == .memory ? "--memory-percent" : "--cpu-percent"
            return Why(
                hindrance.kind, "it asks for \(Reasons.amount(shape.resources)); free are \(floor.free)",
                "wait until others end, ask for less, or promise more: bulkhead up \(option) N")
        case .platform:
            let known = host.map { Reasons.platforms($0) } ?? ""
            return Why(
                hindrance.kind, "this host runs \(known), and not \(shape.platform.label)",
                "register an emulator with the kernel (package qemu-user-static), and restart spawnerd")
        case .noSuchDevice, .noFreeDevice: return whyNoDevice(hindrance, shape.gpus)
        default: return houseWords(hindrance)
        }
    }

    /// A larger job has waited for so long that the machine is let run empty for it, or that devices are kept.
    private func whyReserved(
        _ unit: UnitOfWork, _ job: JobRow, _ shape: RunnerShape, _ outlook: Outlook
    ) throws -> Why? {
        guard case .fits = outlook.floor.room(for: shape),
            !outlook.floor.hasIdle(Pool(shape: job.shape, trust: job.trust)),
            let large = try reservation(unit, against: shape, of: job.trust, outlook), large.job != job.id
        else { return nil }
        let what =
            large.isOfResources
            ? "\(Reasons.amount(large.shape.resources)) and has waited long: the machine is let run empty for it"
            : "\(large.shape.gpus?.count ?? 0) GPUs and has waited long: what comes free is kept for it"
        return Why(
            .behindOthers, "job \(large.job) asks for \(what)",
            "wait, or withdraw that one: bulkhead cancel \(large.job)")
    }

    private func whyNoDevice(_ hindrance: Hindrance, _ need: GPUs?) -> Why {
        let devices = host?.devices ?? []
        let count = Int(need?.count ?? 0)
        let name = need?.vendor.map { "\($0) " } ?? ""
        guard hindrance == .noSuchDevice else {
            return Why(
                hindrance.kind, "\(count) \(name)GPUs are not free: each is one job's alone",
                "wait until a job with one ends")
        }
        let vendors: [GPUVendor] = need?.vendor.map { [$0] } ?? [.nvidia, .amd, .intel]
        let most = vendors.map { vendor in devices.count { $0.vendor == vendor } }.max() ?? 0
        return Why(
            hindrance.kind, "it asks for \(count) \(name)GPUs, and this host has \(most)",
            most == 0 ? "run it where there are some" : "ask for less, or for another vendor")
    }
}

extension SchedulerEdge.Why {
    init(_ kind: SchedulerEdge.WhyKind, _ text: String, _ advice: String) {
        self.init(kind: kind, text: Reasons.fit(text), advice: Reasons.fit(advice), sinceMs: 0)
    }
}
