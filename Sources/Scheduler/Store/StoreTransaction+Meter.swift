// What metrics count. Nothing here goes through the jobs: the lines, the tally and the runners know it already.

import Foundation
import GRDB
package import Wire

extension StoreTransaction {
    /// The pools with the most jobs in line, and how many those are.
    package func busiestPools(limit: Int) throws -> [(pool: Pool, needsGrant: Bool, waiting: Int)] {
        try all(
            """
            SELECT shape, trust, needs_grant, sum(waiting) AS waiting FROM queues GROUP BY shape, trust, needs_grant
            ORDER BY waiting DESC, shape, trust, needs_grant LIMIT ?
            """, [limit]
        ).map { row in
            let pool = Pool(shape: row["shape"], trust: try Self.trust(row["trust"], of: .shape(row["shape"])))
            return (pool, (row["needs_grant"] as Int64) != 0, row["waiting"])
        }
    }

    /// All jobs in line.
    package func inLine() throws -> Int { try count("SELECT coalesce(sum(waiting), 0) FROM ranks") }

    /// How many QUEUED jobs a gate keeps out of the line; no more than `limit` are counted.
    package func gated(by gate: Gate, limit: Int) throws -> Int {
        try count(
            """
            SELECT count(*) FROM (SELECT 1 FROM jobs INDEXED BY jobs_by_gate WHERE state = 3 AND gate > 0 AND gate = ?
                LIMIT ?)
            """, [gate.rawValue, limit])
    }

    /// Which runner has which device.
    package func leases() throws -> [(device: String, runner: Bytes16)] {
        try all("SELECT device, runner FROM leases ORDER BY device").compactMap { row in
            Bytes16(bytes: [UInt8](row["runner"] as Data)).map { (row["device"], $0) }
        }
    }

    /// Bytes of the database's file, without what is still in its log.
    package func fileSize() throws -> Int {
        try count("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
    }
}
