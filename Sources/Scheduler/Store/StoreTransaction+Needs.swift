// Which jobs wait for which.

import Foundation
import GRDB
package import Wire

extension StoreTransaction {
    package func insertNeeds(_ needs: [UInt64], ofJob job: UInt64) throws {
        for needed in needs {
            try run("INSERT OR IGNORE INTO needs (job, needed) VALUES (?, ?)", [Self.key(job), Self.key(needed)])
        }
    }

    /// What a job waits for, and where that stands; nil: it is forgotten, which only an ended one can be.
    package func needs(ofJob job: UInt64) throws -> [(job: UInt64, state: Wire.JobState?)] {
        try all(
            """
            SELECT needed, state FROM needs LEFT JOIN jobs ON jobs.id = needs.needed WHERE needs.job = ?
            ORDER BY needed
            """, [Self.key(job)]
        ).map { row in
            let state = (row["state"] as Int64?).flatMap { UInt8(exactly: $0) }.flatMap { Wire.JobState(rawValue: $0) }
            return (UInt64(bitPattern: row["needed"]), state)
        }
    }

    /// BLOCKED jobs that wait for this one, in their order, beyond `last`.
    package func blocked(by job: UInt64, after last: UInt64, limit: Int) throws -> [UInt64] {
        try all(
            """
            SELECT needs.job FROM needs CROSS JOIN jobs ON jobs.id = needs.job WHERE needs.needed = ? AND needs.job > ?
            AND jobs.state = 1 ORDER BY needs.job LIMIT ?
            """, [Self.key(job), Self.key(last), limit]
        ).map { UInt64(bitPattern: $0["job"]) }
    }

    /// All BLOCKED jobs, in their order, beyond `last`.
    package func blocked(after last: UInt64, limit: Int) throws -> [UInt64] {
        try all(
            """
            SELECT id FROM jobs INDEXED BY jobs_by_state WHERE state <> 3 AND state = 1 AND id > ? ORDER BY id LIMIT ?
            """, [Self.key(last), limit]
        ).map { UInt64(bitPattern: $0["id"]) }
    }
}
