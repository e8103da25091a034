// One cell of a state table: what an event does in a state, and what holds afterwards. Pure; used by the tables of
// jobs and runners, by schedulerd's store (which refuses what they refuse) and by the test of docs/job-states.md.

/// What an event does in a state.
package enum StateOutcome<State: Hashable & Sendable>: Hashable, Sendable {
    /// The row takes this state, in the same commit as the event.
    case moves(State)
    /// Accepted and recorded; the state does not change.
    case stays
    /// News that is late or told twice. Nothing is written, nobody is blamed.
    case ignored
    /// Cannot happen unless somebody errs: nothing is written, and the caller is told so.
    case refused
}

/// An outcome and the promise that goes with it.
package struct StateCell<State: Hashable & Sendable>: Hashable, Sendable {
    package let outcome: StateOutcome<State>
    /// One sentence: what is true after this cell, whatever is killed in between.
    package let guarantee: String

    init(_ outcome: StateOutcome<State>, _ guarantee: String) {
        self.outcome = outcome
        self.guarantee = guarantee
    }
}
