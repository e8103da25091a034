// From the queue to a runner: the highest priority first, then the project that was served least, then the oldest job.
// It runs inside the transaction of whatever made it necessary, so a job that meets an idle runner is inserted,
// assigned and told in one commit.

import Daemon
import JobModel
import Link
import Store
import Wire

extension Scheduler {
    /// Gives queued jobs to idle runners of their pool, has runners made for the rest as far as the machine goes, and
    /// then makes some in advance. While brokerd releases nothing, jobs that need no grant overtake those that do.
    func dispatch(_ unit: UnitOfWork) throws {
        if isDraining { return try releaseSpares(unit) }
        var floor = try floor(unit)
        if canMakeRunners {
            for runner in floor.pending { try provision(unit, runner) }
        }
        let isFull = try serve(unit, &floor)
        try keepWarm(unit, &floor, isFull: isFull)
    }

    /// Containers can be asked for at all.
    var canMakeRunners: Bool {
        spawner.isReady && host != nil && !engineIsPaused && brokerIsUsable && !preparation.isPaused
    }

    /// True if somebody waits for room on this machine.
    private func serve(_ unit: UnitOfWork, _ floor: inout Floor) throws -> Bool {
        let rows = unit.rows
        let plain = !brokerIsUsable || release.isPaused
        var passedOver: Set<Pool> = []
        var needsRoom = false
        var isReserved = false
        while floor.hasIdle || canMakeRunners && !isReserved && floor.hasPlace {
            let line = try rows.nextLine(plain: plain) { line in
                floor.hasIdle(line.pool)
                    || canMakeRunners && floor.hasPlace && !isReserved && !passedOver.contains(line.pool)
            }
            guard let line else { break }
            let job = line.head
            let shape = try shapes.shape(line.pool.shape, rows)
            if let runner = floor.takeIdle(line.pool) {
                try assign(unit, job: job, to: runner, line, shape, "on a runner that was waiting")
                unit.afterCommit { self.noteStart(of: job, on: runner, isWarm: true) }
                try give(unit, job: job, to: runner)
                continue
            }
            switch floor.room(for: shape) {
            case .fits(let devices):
                let runner = newID()
                try rows.insertRunner(runner, pool: line.pool, wanted: false, at: unit.now)
                try rows.lease(devices, to: runner)
                floor.take(shape, devices)
                try assign(unit, job: job, to: runner, line, shape, "on a new runner")
                unit.afterCommit { self.noteStart(of: job, on: runner, isWarm: false) }
                try provision(unit, runner)
            case .never(let why):
                try end(unit, job: job, on: .unrunnable, reason: why)
            case .notNow(let why):
                passedOver.insert(line.pool)
                guard why.isOfResources else { continue }
                needsRoom = true
                // Small jobs pass a large one by, but not for ever: then the machine is let run empty for it.
                if try hasWaitedEnough(unit, job) { isReserved = true }
            }
        }
        // The last place may well be a spare's, as long as there is no line.
        if needsRoom || floor.hasPlace { return needsRoom }
        return try rows.nextLine(plain: plain) { line in
            if case .fits = floor.room(for: try shapes.shape(line.pool.shape, rows)) { true } else { false }
        } != nil
    }

    func hasWaitedEnough(_ unit: UnitOfWork, _ job: UInt64) throws -> Bool {
        guard let row = try unit.rows.job(job) else { return false }
        return unit.house - row.queuedAt >= settings.patience.wholeMilliseconds
    }

    /// QUEUED to ASSIGNED, with an attempt and its fence. The project is charged what it is given.
    private func assign(
        _ unit: UnitOfWork, job: UInt64, to runner: Bytes16, _ line: Line, _ shape: RunnerShape, _ how: String
    ) throws {
        let attempt = try unit.rows.openAttempt(job: job, epoch: epoch, runner: runner)
        try unit.rows.advance(job: job, on: .assigned, at: unit.now)
        try unit.rows.note(job: job, "attempt \(attempt.attempt) \(how), \(runner.hex)", at: unit.now)
        try unit.rows.setJob(job, ofRunner: runner)
        try unit.rows.noteUse(of: line.pool, at: unit.house)
        try unit.rows.charge(line.project, cpuMillis: shape.resources.cpuMillis)
    }
}
