// One row of `attempts`: one try at running a job on one runner.

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

    init(_ row: inout Columns) throws {
        let (job, number, epoch): (Int64, Int64, Int64) = (row.next(), row.next(), row.next())
        guard let id = Bytes16(bytes: row.next()), let state = State(rawValue: row.next()) else {
            throw StoreError.damagedRow(DamagedRow(.attempt(job: job, number: number), "an attempt of job \(job)"))
        }
        attempt = Attempt(
            job: UInt64(bitPattern: job), attempt: UInt32(truncatingIfNeeded: number),
            epoch: UInt64(bitPattern: epoch))
        runner = id
        self.state = state
        told = (row.next() as Int64) != 0
        taken = (row.next() as Int64) != 0
    }
}
