// One row of `runners`.

package import Wire

/// A runner as the database knows it.
package struct RunnerRow: Equatable, Sendable {
    package let id: Bytes16
    /// Key of `shapes`.
    package let shape: Int64
    package let trust: Trust
    /// The directory that brokerd has prepared for it.
    package let grant: Bytes16?
    package let state: Wire.RunnerState
    /// The job that it was made for or runs.
    package let job: UInt64?
    /// A person asked for it; otherwise it was made for a job.
    package let wanted: Bool
    package let createdMs: Int64
    package let reason: String

    static let columns = "id, shape, trust, grant_id, state, job, wanted, created_ms, reason"

    init(_ row: inout Columns) throws {
        guard let id = Bytes16(bytes: row.next()) else {
            throw StoreError.damagedRow(DamagedRow(nil, "the id of a runner"))
        }
        self.id = id
        shape = row.next()
        trust = try StoreTransaction.trust(row.next(), of: .runner(id))
        grant = try (row.next() as [UInt8]?).map { bytes in
            guard let grant = Bytes16(bytes: bytes) else {
                throw StoreError.damagedRow(DamagedRow(.runner(id), "the grant of runner \(id)"))
            }
            return grant
        }
        let number: Int64 = row.next()
        guard let state = UInt8(exactly: number).flatMap({ Wire.RunnerState(rawValue: $0) }) else {
            throw StoreError.damagedRow(DamagedRow(.runner(id), "state \(number) of runner \(id)"))
        }
        self.state = state
        job = (row.next() as Int64?).map { UInt64(bitPattern: $0) }
        wanted = (row.next() as Int64) != 0
        createdMs = row.next()
        reason = row.next()
    }
}
