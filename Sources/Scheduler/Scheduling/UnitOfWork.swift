// One thing to do with the database, as the code that does it sees it.

package import Store

/// Rows to read and write, and what is to happen once they are durable.
package final class UnitOfWork {
    package let rows: StoreTransaction
    /// Milliseconds since 1970, the same for everything of one pass: for people. Nothing is decided by it.
    package let now: Int64
    /// Milliseconds of the house's time (HouseClock): what patience is counted in.
    package let house: Int64
    private(set) var effects: [() -> Void] = []
    private(set) var wantsDispatch = false
    /// Jobs that may still be looked at in it for the sake of others.
    var cascadeLeft = Cascade.limit

    init(_ rows: StoreTransaction, now: Moment) {
        self.rows = rows
        self.now = now.wall
        house = now.house
    }

    /// Replies, messages to siblings, timers: everything that others can see. Runs only if the commit succeeds.
    package func afterCommit(_ effect: @escaping () -> Void) {
        effects.append(effect)
    }

    /// Something has changed that may give a queued job a runner.
    package func dispatchNext() {
        wantsDispatch = true
    }
}

/// One moment on both clocks, in milliseconds.
struct Moment {
    let wall: Int64
    let house: Int64
}
