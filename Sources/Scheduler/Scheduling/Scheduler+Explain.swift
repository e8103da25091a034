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
        case .queued: found = try whyQueued(unit, job, try floor(unit))
        case .assigned: found = [try whyAssigned(unit, job)]
        case .running:
            found = [Why(.runs, "it runs", "bulkhead log \(job.id) --follow")]
            if !relay.isReady { found.insert(Self.awayRelay, at: 0) }
        default: found = [whyEnded(job)]
        }
        let since = try unit.rows.happenings(ofJob: job.id).last?.atMs ?? job.createdMs
        for index in found.indices where found[index].sinceMs == 0 { found[index].sinceMs = since }
        return found
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
        if !spawner.isReady { return Self.awaySpawner }
        if !relay.isReady { return Self.awayRelay }
        if job.needsGrant && !brokerIsUsable { return Self.awayBroker }
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

    /// What a job that waits waits for, for a list. `floor`: the machine as it is now, looked at once for all of them.
    func waitingReason(_ unit: UnitOfWork, _ job: JobRow, _ floor: Floor) throws -> String {
        switch job.state {
        case .blocked: Reasons.waiting(try whyBlocked(unit, job).text)
        case .queued: Reasons.waiting(try whyQueued(unit, job, floor).first?.text ?? "")
        default: ""
        }
    }

    func floor(_ unit: UnitOfWork) throws -> Floor {
        try Floor(unit.rows, host: host, settings: settings, shapes: shapes)
    }

    private func whyQueued(_ unit: UnitOfWork, _ job: JobRow, _ floor: Floor) throws -> [Why] {
        if let gate = try whyGated(unit, job) { return [gate] }
        var found: [Why] = []
        if isDraining {
            found.append(Why(.draining, "the house is draining: no job begins", "bulkhead drain --off"))
        }
        found += whySiblings(job)
        if let lack = try whyNoRoom(unit, job, floor) { found.append(lack) }
        if found.isEmpty, !job.reason.isEmpty {
            found.append(
                Why(.runnerCannotBeMade, job.reason, "it is tried again by itself; mend what the reason names"))
        }
        let ahead = try unit.rows.ahead(of: job)
        if ahead > 0 {
            found.append(
                Why(
                    .behindOthers,
                    "\(ahead) jobs are served before it: of higher priority, or of projects that had less",
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

    /// Who is away, or does not do its work, at present.
    private func whySiblings(_ job: JobRow) -> [Why] {
        var found: [Why] = []
        if !brokerIsUsable { found.append(Self.awayBroker) }
        if !spawner.isReady { found.append(Self.awaySpawner) }
        if !relay.isReady { found.append(Self.awayRelay) }
        if spawner.isReady, let trouble = engine.silence(at: now) ?? engineTrouble {
            found.append(
                Why(
                    .engineUnavailable, Reasons.waitsForEngine(trouble),
                    "start or mend the container engine; the job goes on by itself"))
        }
        if job.needsGrant, let trouble = release.failure {
            found.append(
                Why(.nothingIsReleased, Reasons.waitsForGrant(trouble), "make room for brokerd's audit log"))
        }
        if let trouble = preparation.failure {
            found.append(
                Why(.nothingIsReleased, Reasons.waitsForPreparation(trouble), "make room on brokerd's tmpfs"))
        }
        return found
    }

    private func whyNoRoom(_ unit: UnitOfWork, _ job: JobRow, _ floor: Floor) throws -> Why? {
        guard let host else { return nil }
        let shape = try shapes.shape(job.shape, unit.rows)
        if floor.hasIdle(Pool(shape: job.shape, trust: job.trust)) { return nil }
        let allInUse = Why(
            .allRunnersInUse, "all \(settings.runnerLimit) runners are in use",
            "wait, or allow more: bulkhead up --max-runners N")
        // What this machine will never have comes before what it has not just now.
        switch floor.room(for: shape) {
        case .fits: return floor.hasPlace ? try whyReserved(unit, job, floor) : allInUse
        case .never, .notNow(.hostUnknown): return nil
        case .notNow(.processors), .notNow(.memory):
            guard floor.hasPlace else { return allInUse }
            let option = floor.room(for: shape) == .notNow(.memory) ? "--memory-percent" : "--cpu-percent"
            return Why(
                .notEnoughResources, "it asks for \(Reasons.amount(shape.resources)); free are \(floor.free)",
                "wait until others end, ask for less, or promise more: bulkhead up \(option) N")
        case .notNow(.platform):
            return Why(
                .platformNotAvailable, "this host runs \(Reasons.platforms(host)), and not \(shape.platform.label)",
                "register an emulator with the kernel (package qemu-user-static), and restart spawnerd")
        case .notNow(.device): return whyNoDevice(shape.gpus, host)
        }
    }

    /// A larger job has waited for so long that the machine is let run empty for it.
    private func whyReserved(_ unit: UnitOfWork, _ job: JobRow, _ floor: Floor) throws -> Why? {
        let large = try unit.rows.nextLine(plain: false) { line in
            guard case .notNow(let lack) = floor.room(for: try self.shapes.shape(line.pool.shape, unit.rows)) else {
                return false
            }
            return try lack.isOfResources && self.hasWaitedEnough(unit, line.head)
        }
        guard let large, large.head != job.id else { return nil }
        let amount = Reasons.amount(try shapes.shape(large.pool.shape, unit.rows).resources)
        return Why(
            .behindOthers,
            "job \(large.head) asks for \(amount) and has waited long: the machine is let run empty for it",
            "wait, or withdraw that one: bulkhead cancel \(large.head)")
    }

    private func whyNoDevice(_ need: GPUs?, _ host: SpawnerEdge.DescribeHost.Reply) -> Why {
        let vendor = need?.vendor
        let count = Int(need?.count ?? 0)
        let most =
            vendor.map { vendor in host.devices.count { $0.vendor == vendor } }
            ?? [GPUVendor.nvidia, .amd, .intel].map { one in host.devices.count { $0.vendor == one } }.max() ?? 0
        let name = vendor.map { "\($0) " } ?? ""
        if most < count {
            return Why(
                .noSuchDevice, "it asks for \(count) \(name)GPUs, and this host has \(most)",
                most == 0 ? "run it where there are some" : "ask for less, or for another vendor")
        }
        return Why(
            .noFreeDevice, "\(count) \(name)GPUs are not free: each is one job's alone",
            "wait until a job with one ends")
    }

    private static let awayBroker = Why(
        .brokerdIsAway, "brokerd is away, and nothing begins without its word",
        "see why: bulkhead status, brokerd's log")
    private static let awaySpawner = Why(
        .spawnerdIsAway, "spawnerd is away, which alone makes containers", "see why: bulkhead status, spawnerd's log")
    private static let awayRelay = Why(
        .relaydIsAway, "relayd is away, which alone speaks with runners", "see why: bulkhead status, relayd's log")
}

extension SchedulerEdge.Why {
    init(_ kind: SchedulerEdge.WhyKind, _ text: String, _ advice: String) {
        self.init(kind: kind, text: Reasons.fit(text), advice: Reasons.fit(advice), sinceMs: 0)
    }
}
