// Giving up what a damaged row concerns. This goes past the tables of states: the row that says where a job stands may
// be the one that cannot be read. Nothing here decodes anything.

import Foundation
import GRDB
package import Wire

/// What was ended because a row cannot be read.
package struct GivenUp: Equatable, Sendable {
    /// Jobs that are LOST now.
    package var jobs: [UInt64] = []
    /// Runners that are in TEARDOWN now.
    package var runners: [Bytes16] = []
    /// What brokerd has prepared for them.
    package var grants: [Bytes16] = []
    /// Attempts that relayd was told of and may forget.
    package var attempts: [Attempt] = []
    /// Rows that can be read again, because what could not be read of them is gone.
    var cleared = 0

    /// Something has changed: it is worth trying again what met the damage. A second time nothing changes.
    package var isProgress: Bool { !jobs.isEmpty || !runners.isEmpty || !attempts.isEmpty || cleared > 0 }
}

extension StoreTransaction {
    /// Jobs that have not ended are lost, their runners are torn down, and what cannot be read is cleared where the row
    /// is of use without it.
    package func giveUp(_ damage: DamagedRow, reason: String, at now: Int64) throws -> GivenUp {
        var given = GivenUp()
        switch damage.subject {
        case nil: break
        case .spec(let job): try lose(Self.key(job), reason, now, &given)
        case .job(let job):
            try lose(Self.key(job), reason, now, &given)
            try clear(
                """
                UPDATE jobs SET source_sha = NULL, source_size = NULL, result = NULL
                WHERE id = ? AND (source_sha IS NOT NULL OR result IS NOT NULL)
                """, [Self.key(job)], &given)
        case .attempt(let job, let number):
            try lose(job, reason, now, &given)
            try clear(
                """
                UPDATE attempts SET runner = zeroblob(16), state = CASE WHEN state IN (2, 3, 4) THEN state ELSE 4 END
                WHERE job = ? AND attempt = ? AND (runner <> zeroblob(16) OR state NOT IN (2, 3, 4))
                """, [job, number], &given)
        case .runner(let id):
            for row in try all("SELECT job FROM runners WHERE id = ? AND job IS NOT NULL", [Self.blob(id.array)]) {
                try lose(row["job"], reason, now, &given)
            }
            try tearDown("id = ?", Self.blob(id.array), reason, &given)
            // brokerd discards what nobody names.
            try clear(
                "UPDATE runners SET grant_id = NULL WHERE id = ? AND length(grant_id) <> 16", [Self.blob(id.array)],
                &given)
        case .shape(let key):
            for row in try all("SELECT id FROM jobs WHERE state < 6 AND shape = ?", [key]) {
                try lose(row["id"], reason, now, &given)
            }
            try tearDown("shape = ?", key, reason, &given)
            // Or runners of it would be made in advance.
            try clear("DELETE FROM pools WHERE shape = ?", [key], &given)
        }
        return given
    }

    private func lose(_ job: Int64, _ reason: String, _ now: Int64, _ given: inout GivenUp) throws {
        try run(
            """
            UPDATE jobs SET state = ?, reason = ?, finished_ms = ?, ended_at = \(Self.houseKept)
            WHERE id = ? AND state NOT BETWEEN 6 AND 10
            """,
            [Wire.JobState.lost.rawValue, reason, now, job])
        if db.changesCount > 0 {
            let id = UInt64(bitPattern: job)
            given.jobs.append(id)
            changes.append(JobChange(job: id, state: .lost, reason: reason))
        }
        let open = try all("SELECT attempt, epoch FROM attempts WHERE job = ? AND state = 1 AND told = 1", [job])
        given.attempts += open.map { row in
            Attempt(
                job: UInt64(bitPattern: job), attempt: UInt32(truncatingIfNeeded: row["attempt"] as Int64),
                epoch: UInt64(bitPattern: row["epoch"]))
        }
        try run(
            "UPDATE attempts SET state = CASE WHEN told = 0 THEN 4 ELSE 2 END WHERE job = ? AND state = 1", [job])
        try tearDown("job = ?", job, reason, &given)
    }

    private func tearDown(
        _ condition: String, _ value: some DatabaseValueConvertible, _ reason: String, _ given: inout GivenUp
    ) throws {
        let torn = Wire.RunnerState.teardown.rawValue
        let rows = try all("SELECT id, grant_id, job FROM runners WHERE \(condition) AND state <> \(torn)", [value])
        // As at every end: the next of its group waits until the container is gone.
        for row in rows {
            guard let job = row["job"] as Int64?, let id = Bytes16(bytes: [UInt8](row["id"] as Data)) else { continue }
            try setFence(id, for: UInt64(bitPattern: job))
        }
        let ids = rows.compactMap { Bytes16(bytes: [UInt8]($0["id"] as Data)) }
        for id in ids {
            try run(
                "UPDATE runners SET state = ?, reason = ?, job = NULL WHERE id = ?",
                [torn, String(reason.prefix(64)), Self.blob(id.array)])
        }
        given.runners += ids
        given.grants += rows.compactMap { ($0["grant_id"] as Data?).flatMap { Bytes16(bytes: [UInt8]($0)) } }
    }

    private func clear(_ sql: String, _ arguments: StatementArguments, _ given: inout GivenUp) throws {
        try run(sql, arguments)
        given.cleared += db.changesCount
    }
}
