// Runners in advance. A pool that was used lately keeps some that wait, so that the start of its next job costs a frame
// and not a container; a pool that was not used for the cooldown has none. Each is used once.

import Daemon
import JobModel
import Link
import Store
import Wire

extension Scheduler {
    /// Makes spares for the pools of late, the latest first, and lets go of those whose cooldown is over. With
    /// `isFull`, jobs wait for room: then none are made, and spares make room.
    func keepWarm(_ unit: UnitOfWork, _ floor: inout Floor, isFull: Bool) throws {
        if settings.maxIdleRunners == 0 && floor.spareCount == 0 { return }
        let cooldown = settings.cooldown.wholeMilliseconds
        let pools = try unit.rows.pools(usedSince: unit.house - cooldown, limit: Self.poolsKept)
        if isFull && canMakeRunners { try makeRoom(unit, &floor) }
        try coolDown(unit, &floor, warm: Set(pools.map(\.pool)))
        if floor.hasGivenIdle { refillSoon(unit) }
        if !isFull && canMakeRunners && !waitsToRefill && !floor.hasGivenIdle {
            for (pool, _) in pools { try refill(unit, &floor, pool) }
        }
        // The next cooldown that ends something.
        let ends = pools.filter { floor.spares[$0.pool] != nil }.map { $0.usedAt + cooldown - unit.house }
        unit.afterCommit { self.watchCooldown(ends.min()) }
    }

    /// More pools than that are not looked at.
    static let poolsKept = 64

    private func refill(_ unit: UnitOfWork, _ floor: inout Floor, _ pool: Pool) throws {
        guard poolTrouble[pool]?.isPaused != true else { return }
        let shape = try shapes.shape(pool.shape, unit.rows)
        // A device that lies ready for one job is missing for another.
        guard shape.gpus == nil else { return }
        let wanted = settings.spares(ofImage: shape.image)
        while floor.spareCount < settings.maxIdleRunners, floor.spares[pool]?.count ?? 0 < wanted, floor.hasPlace,
            case .fits = floor.room(for: shape)
        {
            let runner = newID()
            try unit.rows.insertRunner(runner, pool: pool, wanted: false, at: unit.now)
            floor.take(shape, [], spare: (runner, pool))
            try provision(unit, runner)
        }
    }

    /// A job begins on a runner that waited: the making of the next one must not take its processor and its disk.
    private func refillSoon(_ unit: UnitOfWork) {
        unit.afterCommit {
            if self.waitsToRefill { return }
            self.waitsToRefill = true
            self.arm(.refill, after: self.settings.refillPause) { scheduler in
                scheduler.waitsToRefill = false
                scheduler.batch.dispatchNext()
            }
        }
    }

    /// Spares of pools that nobody has used for the cooldown, and more of them than are wanted.
    private func coolDown(_ unit: UnitOfWork, _ floor: inout Floor, warm: Set<Pool>) throws {
        for (pool, runners) in floor.spares where !warm.contains(pool) {
            for runner in runners { try letGo(unit, &floor, runner, pool, "not used for its cooldown") }
        }
    }

    /// One spare of another pool for each pass: what waits is looked at again when it is gone.
    private func makeRoom(_ unit: UnitOfWork, _ floor: inout Floor) throws {
        // Those that are gone soon are room already.
        if try unit.rows.runners().contains(where: { $0.state == .teardown }) { return }
        for (pool, runners) in floor.spares {
            guard try unit.rows.waiting(pool) == 0, let runner = runners.first else { continue }
            return try letGo(unit, &floor, runner, pool, "makes room for a job that waits")
        }
    }

    private func letGo(
        _ unit: UnitOfWork, _ floor: inout Floor, _ runner: Bytes16, _ pool: Pool, _ why: String
    ) throws {
        floor.release(runner, pool)
        try tearDown(unit, runner, on: .released, reason: why)
    }

    private func watchCooldown(_ milliseconds: Int64?) {
        guard let milliseconds else { return disarm(.cooldown) }
        arm(.cooldown, after: .milliseconds(max(milliseconds, 1))) { $0.batch.dispatchNext() }
    }

    /// A runner of this pool could not be made: none is made in advance for a while.
    func noteTrouble(_ pool: Pool, _ failure: Failure) {
        guard settings.maxIdleRunners > 0 else { return }
        if poolTrouble.count > Self.poolsKept { poolTrouble = [:] }
        guard let pause = poolTrouble[pool, default: Trouble(settings)].begin(failure) else { return }
        arm(.pool(pool), after: pause) { scheduler in
            scheduler.poolTrouble[pool]?.tryAgain()
            scheduler.batch.dispatchNext()
        }
    }

    // MARK: draining

    /// The process ends, and nobody would end the cooldown of runners that wait: they go. No job begins any more.
    package func leave() {
        isDraining = true
        batch.dispatchNext()
    }

    /// Containers are being removed.
    package var isClearing: Bool { !removing.isEmpty }

    /// Nothing begins; what waits without a job goes.
    func releaseSpares(_ unit: UnitOfWork) throws {
        for row in try unit.rows.runners() where row.job == nil && row.state != .teardown && row.state != .busy {
            try tearDown(unit, row.id, on: .released, reason: "the house is draining")
        }
    }

    func setDrain(_ unit: UnitOfWork, _ drain: Bool) throws -> SchedulerEdge.SetDrain.Reply {
        try unit.rows.setDraining(drain)
        unit.afterCommit {
            if self.isDraining != drain { self.log.info(drain ? "drains: no job begins" : "drains no more") }
            self.isDraining = drain
            self.batch.dispatchNext()
        }
        return .init(
            running: UInt32(clamping: try unit.rows.runningCount()),
            runners: UInt32(clamping: try unit.rows.runnerCount()))
    }
}
