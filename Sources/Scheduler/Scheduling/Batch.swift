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
        /// nil for news from a sibling, which nobody will repeat: it is kept until a commit succeeds.
        let fail: ((Failure) -> Void)?
        let work: (UnitOfWork) throws -> Void
    }

    private let loop: PollLoop
    private let store: Store
    private let log: Log
    private let retry: Duration
    private var waiting: [Unit] = []
    private var dispatchIsDue = false
    private var isPaused = false

    /// Runs as the last unit of a transaction in which somebody called `dispatchNext`.
    var dispatcher: ((UnitOfWork) throws -> Void)?
    /// Is told the changes of jobs, after the commit.
    var onChanges: (([JobChange]) -> Void)?
    /// Commits so far and units in them, for status and tests.
    package private(set) var commits = 0
    package private(set) var unitCount = 0

    init(loop: PollLoop, store: Store, log: Log, retry: Duration) {
        self.loop = loop
        self.store = store
        self.log = log
        self.retry = retry
        loop.beforeWait { [weak self] in self?.flush() }
    }

    /// Work for somebody who waits: if it or its commit fails, `fail` is called and nothing of it has happened.
    func request(_ name: String, fail: @escaping (Failure) -> Void, _ work: @escaping (UnitOfWork) throws -> Void) {
        waiting.append(Unit(name: name, fail: fail, work: work))
    }

    /// Work that follows from what has happened outside. If the commit fails it is tried again, in its order.
    func event(_ name: String, _ work: @escaping (UnitOfWork) throws -> Void) {
        waiting.append(Unit(name: name, fail: nil, work: work))
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
        do {
            try store.write { rows in
                let now = Posix.wallMilliseconds()
                for unit in units { effects += try self.perform(unit, UnitOfWork(rows, now: now)) }
                if self.dispatchIsDue, let dispatcher = self.dispatcher {
                    let unit = Unit(name: "dispatch", fail: nil, work: dispatcher)
                    effects += try self.perform(unit, UnitOfWork(rows, now: now))
                }
            }
        } catch {
            return commitFailed(units, error)
        }
        dispatchIsDue = false
        commits += 1
        unitCount += units.count
        for effect in effects { effect() }
    }

    /// In a savepoint, so that one that fails fails alone. Throws only what ends the transaction.
    private func perform(_ unit: Unit, _ work: UnitOfWork) throws -> [() -> Void] {
        do {
            try work.rows.savepoint { try unit.work(work) }
            if work.wantsDispatch { dispatchIsDue = true }
            let changes = work.rows.takeChanges()
            return changes.isEmpty ? work.effects : work.effects + [{ [weak self] in self?.onChanges?(changes) }]
        } catch let error as StoreError where error.endsTransaction {
            throw error
        } catch {
            let failure = Self.failure(error)
            if let fail = unit.fail { return [{ fail(failure) }] }
            log.error("news was not taken", ["what": unit.name, "why": failure.text, "error": "\(error)"])
            return []
        }
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
        default: Failure(.internal, "the scheduler's database failed; nothing was changed")
        }
    }
}
