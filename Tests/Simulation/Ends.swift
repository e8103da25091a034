// How jobs may end and when they may begin again: judged by what was asked for and what their containers did, not by
// what schedulerd counts.

import JobWire
import Store
import Wire

final class Ends {
    private unowned let house: Simulation
    private var world: World { house.world }
    private var begun: [Attempt: Bytes16] = [:]
    private var reported: [Attempt: Wire.JobState] = [:]
    /// Attempts that used more than their memory; true: schedulerd has heard of it.
    private var outOfMemory: [Attempt: Bool] = [:]

    init(_ house: Simulation) { self.house = house }

    // MARK: as it happens

    func began(_ attempt: Attempt, in container: Container) {
        if let other = begun[attempt] {
            world.violated("\(attempt.words) begins twice, in \(other.hex.prefix(6)) and \(container.name)")
        }
        begun[attempt] = container.runner
        if let last = outOfMemory.first(where: { $0.key.job == attempt.job && $0.value })?.key {
            world.violated("\(attempt.words) begins, and \(last.words) had no memory left")
        }
    }

    func hasBegun(_ runner: Bytes16) -> Bool { begun.values.contains(runner) }

    func reported(_ attempt: Attempt, _ state: Wire.JobState) {
        world.trace("\(attempt.words) ends: \(state)")
        reported[attempt] = state
    }

    func ranOutOfMemory(_ attempt: Attempt) { outOfMemory[attempt] = false }

    /// schedulerd is told of a container's end.
    func heard(_ exit: SpawnerEdge.RunnerExit) {
        guard exit.outOfMemory, let attempt = begun.first(where: { $0.value == exit.runner })?.key else { return }
        if outOfMemory[attempt] == false { outOfMemory[attempt] = true }
    }

    // MARK: what the database says

    /// A job has ended: as a runner has reported, or in a way that needs no runner's word.
    func check(_ job: JobRow) {
        guard let asked = house.client.asked[job.name] ?? house.hooks.asked(job) else {
            // A job that brokerd was never asked about has waited for an approval all the time.
            if job.project == Forge.project, job.state == .cancelled, job.attempts == 0 { return }
            return world.violated("job \(job.id): nobody asked")
        }
        let allowed = 1 + UInt32(asked.schedule.retries)
        let tries = begun.keys.count { $0.job == job.id }
        if tries > allowed { world.violated("job \(job.id) was begun \(tries) times, and \(allowed) are allowed") }
        if !house.engine.canEverHold(asked.spec.shape) { return checkUnrunnable(job) }
        switch job.state {
        case .succeeded:
            if !reports(of: job).contains(.succeeded) {
                world.violated("job \(job.id) succeeded, and no runner said so")
            }
        case .failed:
            let isKnown = reports(of: job).contains(.failed) || isOutOfMemory(job) || house.engine.hasRefused
            if !isKnown { world.violated("job \(job.id) failed, and nobody knows why: \(job.reason)") }
        case .lost:
            if isOutOfMemory(job) { world.violated("job \(job.id) had no memory left, and is lost") }
            // One that is to end anyway is not begun anew.
            if job.attempts < allowed && job.cancelGrace == nil {
                world.violated("job \(job.id) is lost after \(job.attempts) attempts, and \(allowed) are allowed")
            }
        default: break
        }
    }

    /// Nobody waits for it, and its author is told.
    private func checkUnrunnable(_ job: JobRow) {
        if job.attempts > 0 { world.violated("job \(job.id) fits no machine, and was given a runner") }
        switch job.state {
        case .cancelled, .timedOut: break
        case .failed where job.reason.contains("ask for less"): break
        default: world.violated("job \(job.id) fits no machine, and is \(job.state): \(job.reason)")
        }
    }

    private func reports(of job: JobRow) -> [Wire.JobState] {
        reported.filter { $0.key.job == job.id }.map(\.value)
    }

    private func isOutOfMemory(_ job: JobRow) -> Bool {
        outOfMemory.contains { $0.key.job == job.id && $0.value }
    }
}
