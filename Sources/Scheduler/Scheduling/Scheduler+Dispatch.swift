// From the queue to a runner: the highest priority first, then the project that was served least, then the oldest job.
// It runs inside the transaction of whatever made it necessary, so a job that meets an idle runner is inserted,
// assigned and told in one commit.

import Daemon
import JobModel
import Link
import Posix
import Store
import Wire

extension Scheduler {
    /// Gives queued jobs to idle runners of their pool, has runners made for the rest as far as the machine goes, and
    /// then makes some in advance. While brokerd releases nothing, jobs that need no grant overtake those that do.
    func dispatch(_ unit: UnitOfWork) throws {
        if isDraining {
            noteKept(unit, [])
            return try releaseSpares(unit)
        }
        var floor = try floor(unit)
        if canMakeRunners {
            for runner in floor.pending { try provision(unit, runner) }
        }
        var pass = QueuePass()
        try serve(unit, &floor, &pass)
        if pass.walk.isCut { goOn(unit, pass.rest) } else { noteKept(unit, Set(pass.kept.keys)) }
        try keepWarm(unit, &floor, roomFor: try pass.needsRoom ?? shapeWithoutPlace(unit, floor))
    }

    /// Containers can be asked for at all.
    var canMakeRunners: Bool {
        spawner.isReady && host != nil && !engineIsPaused && brokerIsUsable && !preparation.isPaused
    }

    /// While brokerd releases nothing, only jobs without a grant are served.
    private var servesPlainJobsAlone: Bool { !brokerIsUsable || release.isPaused }

    /// One way through the lines, so that a pass costs as much as there are lines, `LineWalk.limit` at most, and one
    /// seek for each job that is served. What was passed by stays as it is until the pass ends: what is free becomes
    /// less, and whoever is served moves back.
    private func serve(_ unit: UnitOfWork, _ floor: inout Floor, _ pass: inout QueuePass) throws {
        let rows = unit.rows
        let plain = servesPlainJobsAlone
        var walk = pass.walk
        while floor.hasIdle || canMakeRunners && !pass.isHeldUp(.trusted) && floor.hasPlace {
            let line = try rows.nextLine(&walk, plain: plain) { line in
                try floor.hasIdle(line.pool) || canMake(unit, line, &floor, &pass)
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
            switch floor.room(for: shape, of: line.pool.trust) {
            case .fits(let devices):
                let runner = newID()
                try rows.insertRunner(runner, pool: line.pool, wanted: false, at: unit.now)
                try rows.lease(devices, to: runner)
                floor.take(shape, devices)
                try assign(unit, job: job, to: runner, line, shape, "on a new runner")
                unit.afterCommit { self.noteStart(of: job, on: runner, isWarm: false) }
                try provision(unit, runner)
            case .never(let why): try end(unit, job: job, on: .unrunnable, reason: why)
            case .notNow: continue
            }
        }
        pass.walk = walk
        unit.afterCommit { self.meter.countLines(walk.count) }
    }

    /// A runner can be made for this line, or will never be. If not now, its pool is passed over.
    private func canMake(
        _ unit: UnitOfWork, _ line: Line, _ floor: inout Floor, _ pass: inout QueuePass
    ) throws -> Bool {
        guard canMakeRunners, floor.hasPlace, !pass.isHeldUp(line.pool.trust), !pass.passedOver.contains(line.pool)
        else {
            return false
        }
        let shape = try shapes.shape(line.pool.shape, unit.rows)
        guard case .notNow(let why) = floor.room(for: shape, of: line.pool.trust) else { return true }
        pass.passedOver.insert(line.pool)
        if why.isOfResources && pass.needsRoom == nil { pass.needsRoom = shape }
        if let kept = try kept(unit, for: line, shape, lacking: why, floor) {
            pass.keep(kept, for: line.pool.trust)
            if case .devices(let vendor) = kept { floor.withhold(vendor, from: line.pool.trust) }
        }
        return false
    }

    /// Of the first job that lacks nothing but a place: the last one may well be a spare's, as long as nobody waits.
    private func shapeWithoutPlace(_ unit: UnitOfWork, _ floor: Floor) throws -> RunnerShape? {
        if floor.hasPlace || floor.spareCount == 0 { return nil }
        let line = try unit.rows.nextLine(plain: servesPlainJobsAlone) { line in
            if case .fits = floor.room(for: try shapes.shape(line.pool.shape, unit.rows)) { true } else { false }
        }
        return try line.map { try shapes.shape($0.pool.shape, unit.rows) }
    }

    /// There are more lines than one pass may look at: another one looks at the rest, after what else there is to do.
    /// One that is on its way already is not sent back, or whoever is last would never be looked at.
    private func goOn(_ unit: UnitOfWork, _ rest: QueuePass) {
        unit.afterCommit {
            if self.restOfQueue != nil {
                self.restAgain = rest
            } else {
                self.lookAt(rest)
            }
        }
    }

    private func lookAt(_ rest: QueuePass?) {
        restOfQueue = rest
        guard rest != nil else { return }
        loop.soon { [weak self] in
            guard let self, let rest = restOfQueue else { return }
            restOfQueue = nil
            batch.event("rest of the queue") { try self.goOnNow($0, rest) }
        }
    }

    private func goOnNow(_ unit: UnitOfWork, _ rest: QueuePass) throws {
        if isDraining { return unit.afterCommit { self.restAgain = nil } }
        var (floor, pass) = (try floor(unit), rest)
        for case (.devices(let vendor), let trust) in pass.kept { floor.withhold(vendor, from: trust) }
        try serve(unit, &floor, &pass)
        if !pass.walk.isCut { noteKept(unit, Set(pass.kept.keys)) }
        unit.afterCommit {
            if pass.walk.isCut { return self.lookAt(pass.rest) }
            self.lookAt(self.restAgain)
            self.restAgain = nil
        }
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
