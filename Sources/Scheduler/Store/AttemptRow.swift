// One row of `attempts`: one try at running a job on one runner.

import Foundation
import GRDB
package import Wire

/// An attempt as the database knows it.
package struct AttemptRow: Equatable, Sendable {
    /// Where an attempt stands.
    package enum State: Int64, Sendable {
        case open = 1
        /// Its end is committed; relayd may still hold its events.
        case ended = 2
        /// relayd has forgotten it.
        case settled = 3
        /// No runner was told of it.
        case void = 4
    }

    /// Job, number and the epoch in which it was made: the name under which everybody else knows it.
    package let attempt: Attempt
    package let runner: Bytes16
    package let state: State
    /// A runner has been, or is about to be, told: there may be a log.
    package let told: Bool
    /// The runner has read its grant.
    package let taken: Bool

    static let columns = "job, attempt, epoch, runner, state, told, taken"

    init(_ row: Row) throws {
        let runner: Data = row["runner"]
        guard let state = State(rawValue: row["state"]), let id = Bytes16(bytes: [UInt8](runner)) else {
            let job: Int64 = row["job"]
            throw StoreError.damagedRow(
                DamagedRow(.attempt(job: job, number: row["attempt"]), "an attempt of job \(job)"))
        }
        attempt = Attempt(
            job: UInt64(bitPattern: row["job"]), attempt: UInt32(truncatingIfNeeded: row["attempt"] as Int64),
            epoch: UInt64(bitPattern: row["epoch"]))
        self.runner = id
        self.state = state
        told = (row["told"] as Int64) != 0
        taken = (row["taken"] as Int64) != 0
    }
}
