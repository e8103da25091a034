// One row of `runners`.

import Foundation
import GRDB
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

    init(_ row: Row) throws {
        let state: Int64 = row["state"]
        let bytes: Data = row["id"]
        guard let id = Bytes16(bytes: [UInt8](bytes)) else {
            throw StoreError.damagedRow(DamagedRow(nil, "the id of a runner"))
        }
        guard let known = UInt8(exactly: state).flatMap({ Wire.RunnerState(rawValue: $0) }) else {
            throw StoreError.damagedRow(DamagedRow(.runner(id), "state \(state) of runner \(id)"))
        }
        self.id = id
        self.state = known
        shape = row["shape"]
        trust = try StoreTransaction.trust(row["trust"], of: .runner(id))
        grant = try (row["grant_id"] as Data?).map { data in
            guard let grant = Bytes16(bytes: [UInt8](data)) else {
                throw StoreError.damagedRow(DamagedRow(.runner(id), "the grant of runner \(id)"))
            }
            return grant
        }
        job = (row["job"] as Int64?).map { UInt64(bitPattern: $0) }
        wanted = (row["wanted"] as Int64) != 0
        createdMs = row["created_ms"]
        reason = row["reason"]
    }
}
