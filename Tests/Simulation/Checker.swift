// What must never be, whatever is killed: the invariants, seen from the side of the engine, of relayd and of the
// client.

import JobModel
import JobWire
import Store
import Wire

final class Checker {
    private unowned let house: Simulation
    private var world: World { house.world }
    /// Jobs of which relayd has an end on its disk.
    private var kept: Set<UInt64> = []
    /// Jobs that have ended, as the database said it first.
    private var results: [UInt64: JobRow] = [:]
    private(set) var attemptsBegun = 0
    /// Since when.
    private var unheard: [Bytes16: Time] = [:]

    init(_ house: Simulation) { self.house = house }

    /// Who was served, in order.
    private var served: [String] = []

    // MARK: as it happens

    func started(_ container: Container) {
        for other in house.engine.containers.values where other !== container && other.state != .created {
            let shared = Set(other.request.devices).intersection(container.request.devices)
            if !shared.isEmpty { world.violated("\(shared) is in two containers") }
            if other.request.grant == container.request.grant { world.violated("one grant is in two containers") }
        }
        if !house.engine.canEverHold(container.request.shape) {
            world.violated("container \(container.name) is larger than the machine")
        }
        // Before its runner was told of anything, a container that is lost is made again by its name.
        if house.ends.hasBegun(container.runner) {
            world.violated("container \(container.name) is started again, and had begun a job")
        }
    }

    /// relayd hears of an attempt.
    func told(_ job: RelayEdge.RunJob) {
        guard let container = house.engine.containers[job.runner] else { return }
        let shape = job.definition.spec.shape
        if shape != container.request.shape { world.violated("a job on a runner of another shape") }
        let (asked, given) = (Int(shape.gpus?.count ?? 0), container.request.devices)
        if given.count != asked { world.violated("\(job.attempt.words) asks for \(asked) devices and has \(given)") }
    }

    func began(_ job: RelayEdge.RunJob, in container: Container) {
        let (attempt, definition) = (job.attempt, job.definition)
        world.trace("\(attempt.words) begins in \(container.name)")
        attemptsBegun += 1
        house.ends.began(attempt, in: container)
        // Until it is removed it counts, whatever it does.
        for other in house.engine.containers.values.sorted(by: { $0.runner.hex < $1.runner.hex }) {
            guard other !== container, let known = other.job else { continue }
            if known.attempt.job == attempt.job {
                world.violated("\(attempt.words) begins, and \(known.attempt.words) has its container \(other.name)")
            }
            if let group = definition.schedule.group?.name, known.definition.schedule.group?.name == group,
                known.definition.project == definition.project
            {
                world.violated("\(attempt.words) begins, and \(known.attempt.words) of its group has \(other.name)")
            }
        }
        served.append(definition.project)
        house.hooks.began(attempt, definition)
        checkNeeds(attempt, definition.schedule)
        if kept.contains(attempt.job) { world.violated("job \(attempt.job) begins again, and relayd had its end") }
    }

    private func checkNeeds(_ attempt: Attempt, _ schedule: Schedule) {
        try? house.life?.store.read { rows in
            for needed in schedule.needs {
                guard let state = try rows.job(needed)?.state else { continue }
                let isMet =
                    switch schedule.condition {
                    case .allSuccess: state == .succeeded
                    case .anyFailed: state.isFinal && state != .succeeded
                    case .always: state.isFinal
                    }
                if !isMet { world.violated("job \(attempt.job) begins, and job \(needed) is \(state)") }
            }
        }
    }

    /// One runner, three projects, and the first has asked for everything first: who still waits is never more than one
    /// turn behind, and one that began before the others had asked.
    func checkFairness() {
        let wanted = served.reduce(into: [:]) { $0[$1, default: 0] += 1 }
        var turns: [String: Int] = [:]
        for project in served {
            turns[project, default: 0] += 1
            for (other, all) in wanted {
                let (his, mine) = (turns[other, default: 0], turns[project, default: 0])
                if his < all && mine > his + 2 { world.violated("\(other) waits for \(project): \(served)") }
            }
        }
    }

    /// relayd has an end on its disk.
    func kept(_ attempt: Attempt) { kept.insert(attempt.job) }

    // MARK: what the database says

    func look(_ rows: StoreTransaction) throws {
        for job in try rows.jobs(before: 0, limit: 100, state: nil) {
            if let known = results[job.id] {
                if known.state != job.state || known.result != job.result || known.finishedMs != job.finishedMs {
                    world.violated("job \(job.id) ended as \(known.state) and then as \(job.state)")
                }
            } else if job.isFinal {
                results[job.id] = job
                house.ends.check(job)
            }
        }
        for (request, job) in house.client.acknowledged.sorted(by: { $0.key < $1.key }) {
            let found = try rows.job(ofRequest: request)
            if found != job { world.violated("\(request) was acknowledged as job \(job) and is \(found ?? 0)") }
        }
        try house.hooks.look(rows)
    }

    // MARK: when all is calm

    /// Called while nothing is wrong; one that is being removed is let go of before it has ended.
    func everyRunnerIsHeard() {
        let deaf = house.engine.running.filter { !house.relay.hears($0) }
        unheard = unheard.filter { known in deaf.contains { $0.runner == known.key } }
        for container in deaf {
            let since = unheard[container.runner] ?? world.now
            unheard[container.runner] = since
            if world.now - since > 20 * .second {
                world.violated("container \(container.name) runs, and relayd has had no stream of it for 20 s")
            }
        }
    }

    /// What is not over yet; empty: the run is complete.
    func remains() throws -> [String] {
        var remains: [String] = []
        for request in house.client.open.keys.sorted() { remains.append("\(request) is not answered") }
        try house.life?.store.read { rows in
            // Nothing will ever make this host one that has the tag, and nobody who needs such a job will run.
            var forEver: Set<UInt64> = []
            for job in try rows.jobs(before: 0, limit: 100, state: nil).reversed() where !job.isFinal {
                if try house.hooks.mayWait(job, rows) { continue }
                let needsOne = try rows.needs(ofJob: job.id).contains { forEver.contains($0.job) }
                if job.state == .queued && job.gate == .tags || job.state == .blocked && needsOne {
                    forEver.insert(job.id)
                    continue
                }
                remains.append("job \(job.id) is \(job.state), gate \(job.gate)")
            }
            remains += try house.hooks.remains(rows)
            for runner in try rows.runners() { remains.append("runner \(runner.id.hex.prefix(6)) is \(runner.state)") }
            for attempt in try rows.unsettledAttempts() { remains.append("\(attempt.words) is not settled") }
        }
        for runner in house.engine.containers.keys { remains.append("container \(runner.hex.prefix(6)) is left") }
        for grant in house.broker.grants { remains.append("grant \(grant.hex.prefix(6)) is left") }
        for attempt in house.relay.openLogs { remains.append("relayd keeps \(attempt.words)") }
        return remains
    }
}
