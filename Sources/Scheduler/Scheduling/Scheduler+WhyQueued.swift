// Why a job is still in the queue: all that is in its way.

import Daemon
import JobModel
import JobWire
import Link
import Store
import Wire

extension Scheduler {
    /// What a job that waits waits for, for a list; all of it has one outlook.
    func waitingReason(_ unit: UnitOfWork, _ job: JobRow, _ outlook: Outlook) throws -> String {
        switch job.state {
        case .blocked: Reasons.waiting(try whyBlocked(unit, job).text)
        case .queued:
            // The first alone: what stands before it in line is not counted for a whole page without need.
            Reasons.waiting(
                try (obstacles(unit, job, outlook).whys.first ?? whyQueued(unit, job, outlook).first)?.text ?? "")
        default: ""
        }
    }

    func floor(_ unit: UnitOfWork) throws -> Floor {
        try Floor(
            unit.rows, host: host, settings: settings, shapes: shapes,
            heldDevices: Set(deviceTrouble.filter(\.value.isPaused).keys), stuck: Set(removalBackoff.keys))
    }

    /// All of it, the most permanent first: what waiting does not mend, its gates, the house, others' jobs.
    func whyQueued(_ unit: UnitOfWork, _ job: JobRow, _ outlook: Outlook) throws -> [Why] {
        var found = try obstacles(unit, job, outlook)
        if found.isLasting || job.gate != .open { return found.whys }
        if let turn = try whyBehind(unit, job, outlook) { found.whys.append(turn) }
        // Beside a reason it would be no news, and beside one that does not pass by itself it would be false.
        return found.whys.isEmpty ? [Why(.nextInLine, "it is among the next in line", "wait a moment")] : found.whys
    }

    /// `isLasting`: its turn does not matter, since something is in its way that waiting does not mend.
    private func obstacles(
        _ unit: UnitOfWork, _ job: JobRow, _ outlook: Outlook
    ) throws -> (whys: [Why], isLasting: Bool) {
        let floor = outlook.floor
        let shape = try shapes.shape(job.shape, unit.rows)
        let pool = Pool(shape: job.shape, trust: job.trust)
        let all = hindrances(pool, shape, needsGrant: job.needsGrant, floor)
        let since = all.contains(.refusedKind) ? try since(unit, job) : 0
        func words(_ part: [Hindrance]) -> [Why] { part.map { self.words($0, shape, pool, since: since, floor) } }
        let lasting = try whyTags(unit, job) + words(all.filter(\.isLasting))
        let house = words(all.filter(\.isOfHouse))
        if let gate = try whyGated(unit, job) { return (lasting + [gate] + house, !lasting.isEmpty) }
        if !lasting.isEmpty { return (lasting + house, true) }
        var found = house + words(all.filter { !$0.isLasting && !$0.isOfHouse })
        if found.isEmpty, let reserved = try whyReserved(unit, job, shape, outlook) { found.append(reserved) }
        if found.isEmpty, !job.reason.isEmpty {
            var why = Why(.runnerCannotBeMade, job.reason, "it is tried again by itself; mend what the reason names")
            why.sinceMs = try self.since(unit, job)
            found.append(why)
        }
        return (found, false)
    }

    /// What waiting does not mend, of a job that is not in the queue yet.
    func whyNever(_ unit: UnitOfWork, _ job: JobRow, _ floor: Floor) throws -> [Why] {
        let shape = try shapes.shape(job.shape, unit.rows)
        let pool = Pool(shape: job.shape, trust: job.trust)
        let lasting = hindrances(pool, shape, needsGrant: job.needsGrant, floor).filter(\.isLasting)
        let since = try since(unit, job)
        return try whyTags(unit, job) + lasting.map { words($0, shape, pool, since: since, floor) }
    }

    private func whyBehind(_ unit: UnitOfWork, _ job: JobRow, _ outlook: Outlook) throws -> Why? {
        let ahead = try ahead(unit, of: job, outlook)
        if ahead == 0 { return nil }
        return Why(
            .behindOthers,
            "at least \(Reasons.count(ahead, "job")) \(ahead == 1 ? "is" : "are") served before it: of higher "
                + "priority, of projects that had less, or older ones of its own project",
            "wait, or give it a higher `priority` the next time")
    }

    private func whyTags(_ unit: UnitOfWork, _ job: JobRow) throws -> [Why] {
        // The gate of one in the queue says already whether a look is needed; a fence and a group hide it.
        if job.state == .queued && job.gate == .open { return [] }
        let missing = try unit.rows.schedule(ofJob: job.id).tags.filter { !settings.tags.contains($0) }
        if missing.isEmpty { return [] }
        let has = settings.tags.isEmpty ? "none" : settings.tags.sorted().joined(separator: ", ")
        return [
            Why(
                .tagNotAvailable, "no host here has the tags: \(missing.joined(separator: ", ")); it has: \(has)",
                "mend the job's tags, or give the host these: bulkhead up --tags ...")
        ]
    }

    private func whyGated(_ unit: UnitOfWork, _ job: JobRow) throws -> Why? {
        switch job.gate {
        case .open: return nil
        case .fence:
            return Why(
                .oldAttemptIsClearedAway, "attempt \(job.attempts) is lost, and its container is not seen to be gone",
                "wait; if the engine hangs, mend it: nothing runs twice at once")
        case .tags, .group:
            guard let group = job.group else { return nil }
            if let holder = try unit.rows.holder(ofGroup: group, project: job.project, besides: job.id) {
                return Why(
                    .groupIsBusy, "job \(holder) of its group '\(group)' is at work, or its container is not gone yet",
                    "wait, or end that one: bulkhead cancel \(holder)")
            }
            if job.gate == .tags { return nil }
            return Why(.groupIsBusy, "another job of its group '\(group)' is before it", "wait")
        }
    }

    /// What keeps jobs of this pool from runners.
    func hindrances(_ pool: Pool, _ shape: RunnerShape, needsGrant: Bool, _ floor: Floor) -> [Hindrance] {
        Hindrance.all(
            house,
            .init(
                needsGrant: needsGrant, hasIdle: floor.hasIdle(pool), hasPlace: floor.hasPlace,
                lacks: floor.lacks(for: shape), hasRoomSoon: floor.hasRoomSoon(for: shape, countingStuck: true),
                isRefusedKind: refusal(of: pool) != nil))
    }

    /// Why runners of this pool cannot be made, if the last try has shown that another one will not help.
    private func refusal(of pool: Pool) -> Failure? {
        poolTrouble[pool]?.failure.flatMap { Self.isUnrunnable($0) ? $0 : nil }
    }

    private func words(
        _ hindrance: Hindrance, _ shape: RunnerShape, _ pool: Pool, since: Int64, _ floor: Floor
    ) -> Why {
        switch hindrance {
        case .tooLarge:
            let why = host.flatMap { settings.neverFits(shape.resources, $0) } ?? ""
            return Why(hindrance.kind, why, "it fails when its turn comes; let it ask for less")
        case .refusedKind:
            let why = refusal(of: pool).map { Reasons.unrunnable($0, image: shape.image) } ?? ""
            var words = Why(
                hindrance.kind, "no runner of its kind could be made at the last try: \(why)",
                "mend that; if nothing has changed when its turn comes, it fails")
            words.sinceMs = since
            return words
        case .places:
            let limit = settings.runnerLimit
            return Why(
                hindrance.kind, limit == 1 ? "the only runner is in use" : "all \(limit) runners are in use",
                "wait, or allow more: bulkhead up --max-runners N")
        case .leftovers:
            return Why(
                hindrance.kind, "the containers of jobs that have ended have its place, until they are seen to be gone",
                "wait a moment; if it stays so, mend the container engine")
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
        let gpus = Reasons.count(Int(large.shape.gpus?.count ?? 0), "GPU")
        let what =
            large.isOfResources
            ? "\(Reasons.amount(large.shape.resources)) and has waited long: the machine is let run empty for it"
            : "\(gpus) and has waited long: what comes free is kept for it"
        return Why(
            .behindOthers, "job \(large.job) asks for \(what)",
            "wait, or withdraw that one: bulkhead cancel \(large.job)")
    }

    private func whyNoDevice(_ hindrance: Hindrance, _ need: GPUs?) -> Why {
        let devices = host?.devices ?? []
        let count = Int(need?.count ?? 0)
        let asked = Reasons.count(count, need?.vendor.map { "\($0) GPU" } ?? "GPU")
        guard hindrance == .noSuchDevice else {
            return Why(
                hindrance.kind, "\(asked) \(count == 1 ? "is" : "are") not free: each is one job's alone",
                "wait until a job with one ends")
        }
        let vendors: [GPUVendor] = need?.vendor.map { [$0] } ?? [.nvidia, .amd, .intel]
        let most = vendors.map { vendor in devices.count { $0.vendor == vendor } }.max() ?? 0
        return Why(
            hindrance.kind, "it asks for \(asked), and this host has \(most == 0 ? "none" : "\(most)")",
            most == 0 ? "run it where there are some" : "ask for less, or for another vendor")
    }
}
