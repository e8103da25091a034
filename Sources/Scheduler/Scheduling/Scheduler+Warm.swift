// Runners in advance. A pool that was used lately keeps some that wait, so that the start of its next job costs a frame
// and not a container; a pool that was not used for the cooldown has none. Each is used once.

import Daemon
import JobModel
import Link
import Store
import Wire

extension Scheduler {
    /// Makes spares for the pools of late, the latest first, and lets go of those whose cooldown is over. `waiting`: a
    /// job with this shape waits for room: then none are made, and spares make room.
    func keepWarm(_ unit: UnitOfWork, _ floor: inout Floor, roomFor waiting: RunnerShape?) throws {
        if settings.maxIdleRunners == 0 && floor.spareCount == 0 { return }
        let cooldown = settings.cooldown.wholeMilliseconds
        let pools = try unit.rows.pools(usedSince: unit.house - cooldown, limit: Self.poolsKept)
        let order = Self.oldestFirst(floor, pools.map(\.pool))
        if let waiting, canMakeRunners { try makeRoom(unit, &floor, for: waiting, order) }
        try coolDown(unit, &floor, order, warm: Set(pools.map(\.pool)))
        if floor.hasGivenIdle { refillSoon(unit) }
        if waiting == nil && canMakeRunners && !waitsToRefill && !floor.hasGivenIdle {
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

    /// Pools with spares, the one that was used least lately first. `late`: those of late, the latest first.
    private static func oldestFirst(_ floor: Floor, _ late: [Pool]) -> [Pool] {
        let old = Set(floor.spares.keys).subtracting(late).sorted {
            ($0.shape, $0.trust.rawValue) < ($1.shape, $1.trust.rawValue)
        }
        return old + late.reversed().filter { floor.spares[$0] != nil }
    }

    /// Spares of pools that nobody has used for the cooldown; and more of them than are wanted, which an earlier life
    /// with other settings may have left.
    private func coolDown(_ unit: UnitOfWork, _ floor: inout Floor, _ order: [Pool], warm: Set<Pool>) throws {
        for pool in order {
            let runners = floor.spares[pool] ?? []
            let isWarm = warm.contains(pool)
            let wanted = isWarm ? settings.spares(ofImage: try shapes.shape(pool.shape, unit.rows).image) : 0
            for (index, runner) in runners.enumerated() {
                // One that somebody asked for is of use until the cooldown is over, however many wait.
                if isWarm && floor.wanted.contains(runner) { continue }
                let isSurplus = runners.count - index > wanted || floor.spareCount > settings.maxIdleRunners
                guard isSurplus else { continue }
                try letGo(
                    unit, &floor, runner, pool, isWarm ? "more wait than are wanted" : "not used for its cooldown")
            }
        }
    }

    /// As many spares of other pools as the job needs; what waits is looked at again when they are gone. Whatever else
    /// is on its way out counts, unless its removal fails.
    private func makeRoom(
        _ unit: UnitOfWork, _ floor: inout Floor, for shape: RunnerShape, _ order: [Pool]
    ) throws {
        for pool in order where try unit.rows.waiting(pool) == 0 {
            for runner in floor.spares[pool] ?? [] {
                if floor.hasRoomSoon(for: shape) { return }
                try letGo(unit, &floor, runner, pool, "makes room for a job that waits")
            }
        }
    }

    private func letGo(
        _ unit: UnitOfWork, _ floor: inout Floor, _ runner: Bytes16, _ pool: Pool, _ why: String
    ) throws {
        floor.release(runner, pool, try shapes.shape(pool.shape, unit.rows))
        try tearDown(unit, runner, on: .released, reason: why)
    }

    private func watchCooldown(_ milliseconds: Int64?) {
        guard let milliseconds else { return disarm(.cooldown) }
        arm(.cooldown, after: .milliseconds(max(milliseconds, 1))) { $0.batch.dispatchNext() }
    }

    /// A runner of this pool could not be made: none is made in advance for a while.
    func noteTrouble(_ pool: Pool, _ failure: Failure) {
        guard settings.maxIdleRunners > 0 else { return }
        // Those that are paused stay, or what fails would be made without a pause.
        if poolTrouble.count > Self.poolsKept { poolTrouble = poolTrouble.filter(\.value.isPaused) }
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
        gitlab.tellRoom()
        batch.dispatchNext()
    }

    /// The last word of a life that ends in peace. Without it some numbers of jobs are left out.
    package func closeBooks() {
        do { try highWater?.end() } catch { log.warning("numbers of jobs are left out", ["why": "\(error)"]) }
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
            self.gitlab.tellRoom()
            self.batch.dispatchNext()
        }
        return .init(
            running: UInt32(clamping: try unit.rows.runningCount()),
            runners: UInt32(clamping: try unit.rows.runnerCount()))
    }
}
