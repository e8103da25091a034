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

    /// BLOCKED jobs that wait for this one.
    package func blocked(by job: UInt64) throws -> [UInt64] {
        try all(
            """
            SELECT jobs.id FROM needs JOIN jobs ON jobs.id = needs.job WHERE needs.needed = ? AND jobs.state = 1
            ORDER BY jobs.id
            """, [Self.key(job)]
        ).map { UInt64(bitPattern: $0["id"]) }
    }
}
