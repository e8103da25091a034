// The commit point: all units of work of one pass of the loop share one transaction, and nothing is answered or acted
// on before it is durable. Handlers and the siblings' events put units in; the loop's beforeWait takes them out.

import Daemon
import Link
import Posix
import Store
import Wire

/// Units in the order of their arrival. Lives on the loop's thread.
package final class Batch {
    private struct Unit {
        let name: String
        /// nil for news from a sibling: it is kept until a commit succeeds, or until there is too much of it.
        let fail: ((Failure) -> Void)?
        let work: (UnitOfWork) throws -> Void
    }

    private let loop: PollLoop
    private let store: Store
    private let log: Log
    private var clock: HouseClock
    private let wall: () -> Int64
    private let retry: Duration
    private let limit: Int
    private var waiting: [Unit] = []
    private var dispatchIsDue = false
    private var isPaused = false
    /// News was dropped, and who tells it has not been stopped yet.
    private var isOverflowing = false

    /// Runs as the last unit of a transaction in which somebody called `dispatchNext`.
    var dispatcher: ((UnitOfWork) throws -> Void)?
    /// Gives up what a damaged row concerns, and says whether that has changed anything.
    var mender: ((UnitOfWork, DamagedRow) throws -> Bool)?
    /// Commits fail, and all news that waited was dropped: the siblings are to be asked anew when they succeed again.
    var onOverflow: (() -> Void)?
    /// Is told the changes of jobs, after the commit.
    var onChanges: (([JobChange]) -> Void)?
    /// Commits so far, for metrics and tests.
    package private(set) var commits = 0
    /// Units that wait now.
    package var waitingCount: Int { waiting.count }

    /// `limit`: units that may wait while commits fail.
    init(
        loop: PollLoop, store: Store, log: Log, clock: HouseClock, wall: @escaping () -> Int64, retry: Duration,
        limit: Int
    ) {
        self.loop = loop
        self.store = store
        self.log = log
        self.clock = clock
        self.wall = wall
        self.retry = retry
        self.limit = limit
        loop.beforeWait { [weak self] in self?.flush() }
    }

    /// Work for somebody who waits: if it or its commit fails, `fail` is called and nothing of it has happened.
    func request(_ name: String, fail: @escaping (Failure) -> Void, _ work: @escaping (UnitOfWork) throws -> Void) {
        waiting.append(Unit(name: name, fail: fail, work: work))
    }

    /// A question, answered at once from what is committed: it waits for nobody's disk. A row that cannot be read is
    /// given up by a unit of work, which may write.
    func question(_ name: String, fail: @escaping (Failure) -> Void, _ work: @escaping (UnitOfWork) throws -> Void) {
        let now = Moment(wall: wall(), house: clock.time(at: loop.now))
        var effects: [() -> Void] = []
        do {
            try store.read { rows in
                let unit = UnitOfWork(rows, now: now)
                do {
                    try work(unit)
                    effects = unit.effects
                } catch StoreError.damagedRow {
                    self.request(name, fail: fail, work)
                } catch {
                    effects = [{ fail(Self.failure(error)) }]
                }
            }
        } catch {
            return fail(Self.failure(error))
        }
        for effect in effects { effect() }
    }

    /// Work that follows from what has happened outside. If the commit fails it is tried again, in its order.
    func event(_ name: String, _ work: @escaping (UnitOfWork) throws -> Void) {
        if isOverflowing { return }
        if isPaused && waiting.count >= limit { return overflow() }
        waiting.append(Unit(name: name, fail: nil, work: work))
    }

    /// The siblings go on telling while the disk is full: memory must not pay for that. What is dropped here is told
    /// again after a reconnection, as it is after a restart.
    private func overflow() {
        let requests = waiting.filter { $0.fail != nil }
        log.error("too much news waits for the disk; it is dropped", ["units": "\(waiting.count - requests.count)"])
        waiting = requests
        isOverflowing = true
        // Not at once: we may be in the middle of what a link is telling.
        loop.soon { [weak self] in
            guard let self else { return }
            isOverflowing = false
            onOverflow?()
        }
    }

    /// The dispatcher runs with the next transaction, even if there is nothing else to do.
    func dispatchNext() {
        dispatchIsDue = true
    }

    /// Until nothing is left: effects may put in new units, which must not wait for the next wake-up.
    private func flush() {
        while !isPaused && (!waiting.isEmpty || dispatchIsDue) { commit() }
    }

    private func commit() {
        let units = waiting
        waiting = []
        var effects: [() -> Void] = []
        var dispatches = false
        let now = Moment(wall: wall(), house: clock.time(at: loop.now))
        var keepsTime = clock.isDue(now.house, isWriting: false)
        do {
            try store.write { rows in
                // First, since an end is counted from what is written.
                if keepsTime { try rows.keepHouseTime(now.house) }
                for unit in units { effects += try self.perform(unit, rows, now) }
                dispatches = self.dispatchIsDue
                // The dispatcher may ask for another one: it has passed by what it has let into the line itself.
                self.dispatchIsDue = false
                if dispatches, let dispatcher = self.dispatcher {
                    let unit = Unit(name: "dispatch", fail: nil, work: dispatcher)
                    effects += try self.perform(unit, rows, now)
                }
                // By the way, most of the time: a commit that writes nothing costs no wait for the disk.
                if !keepsTime, rows.hasWritten, self.clock.isDue(now.house, isWriting: true) {
                    try rows.keepHouseTime(now.house)
                    keepsTime = true
                }
            }
        } catch {
            dispatchIsDue = dispatchIsDue || dispatches
            return commitFailed(units, error)
        }
        commits += 1
        if keepsTime { clock.hasKept(now.house) }
        for effect in effects { effect() }
    }

    /// In a savepoint, so that one that fails fails alone. Throws only what ends the transaction. A row that cannot be
    /// read is given up first, and the unit done again: dispatch and every list would meet it for ever. Each round ends
    /// something that had not ended, so there is a last one.
    private func perform(_ unit: Unit, _ rows: StoreTransaction, _ now: Moment) throws -> [() -> Void] {
        var mended: [() -> Void] = []
        while true {
            do {
                return mended + (try attempt(UnitOfWork(rows, now: now)) { try unit.work($0) })
            } catch StoreError.damagedRow(let damage) {
                guard let effects = try mend(damage, rows, now) else {
                    return mended + failed(unit, StoreError.damagedRow(damage))
                }
                mended += effects
            } catch let error as StoreError where error.endsTransaction {
                throw error
            } catch {
                return mended + failed(unit, error)
            }
        }
    }

    /// The effects of the work, if it succeeds.
    private func attempt(_ work: UnitOfWork, _ body: (UnitOfWork) throws -> Void) throws -> [() -> Void] {
        try work.rows.savepoint { try body(work) }
        if work.wantsDispatch { dispatchIsDue = true }
        let changes = work.rows.takeChanges()
        return changes.isEmpty ? work.effects : work.effects + [{ [weak self] in self?.onChanges?(changes) }]
    }

    /// nil if it has changed nothing.
    private func mend(_ damage: DamagedRow, _ rows: StoreTransaction, _ now: Moment) throws -> [() -> Void]? {
        var isProgress = false
        do {
            let effects = try attempt(UnitOfWork(rows, now: now)) { work in
                isProgress = try mender?(work, damage) ?? false
            }
            return isProgress ? effects : nil
        } catch let error as StoreError where error.endsTransaction {
            throw error
        } catch {
            log.error("a damaged row was not given up", ["what": damage.what, "error": "\(error)"])
            return nil
        }
    }

    private func failed(_ unit: Unit, _ error: any Error) -> [() -> Void] {
        let failure = Self.failure(error)
        if let fail = unit.fail { return [{ fail(failure) }] }
        log.error("news was not taken", ["what": unit.name, "why": failure.text, "error": "\(error)"])
        return []
    }

    /// Nothing has happened. Who waits is told; the rest comes again after a pause.
    private func commitFailed(_ units: [Unit], _ error: StoreError) {
        log.error("commit failed; nothing was done", ["units": "\(units.count)", "why": "\(error)"])
        let failure = Self.failure(error)
        for unit in units { unit.fail?(failure) }
        waiting = units.filter { $0.fail == nil } + waiting
        if waiting.isEmpty && !dispatchIsDue { return }
        isPaused = true
        loop.after(retry) { [weak self] in self?.isPaused = false }
    }

    /// What the one who waits is told. A database's own words stay in the log.
    private static func failure(_ error: any Error) -> Failure {
        switch error {
        case let failure as Failure: failure
        case StoreError.full: Failure(.storageFull, "no space left for the scheduler's database; nothing was changed")
        case StoreError.refused(let why): Failure(.conflict, why)
        case StoreError.damagedRow: Failure(.internal, "a row of the scheduler's database cannot be read")
        default: Failure(.internal, "the scheduler's database failed; nothing was changed")
        }
    }
}
