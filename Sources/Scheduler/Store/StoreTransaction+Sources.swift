// Archives in relayd's store: who still needs one. An archive is removed when no unfinished job uses it and no
// finished upload of it waits to be taken up by a job.

import Foundation
import GRDB
package import Wire

extension StoreTransaction {
    /// An upload has ended: the archive is kept for the job that will name it.
    package func noteUpload(_ source: Source, at now: Int64) throws {
        try run(
            """
            INSERT INTO sources (sha, size, claims, touched_ms) VALUES (?, ?, 1, ?)
            ON CONFLICT (sha) DO UPDATE SET claims = claims + 1, touched_ms = excluded.touched_ms
            """,
            [Self.blob(source.sha256.array), Self.key(source.size), now])
    }

    /// True if this archive is in the store; a job takes up one upload of it.
    package func takeUp(_ source: Source) throws -> Bool {
        let key = Self.blob(source.sha256.array)
        guard let row = try one("SELECT size FROM sources WHERE sha = ?", [key]),
            (row["size"] as Int64) == Self.key(source.size)
        else { return false }
        try run("UPDATE sources SET claims = max(claims - 1, 0) WHERE sha = ?", [key])
        return true
    }

    /// True if nobody needs this archive any more.
    package func isUnused(_ sha: Bytes32) throws -> Bool {
        let key = Self.blob(sha.array)
        let claims = try count("SELECT claims FROM sources WHERE sha = ?", [key])
        let jobs = try count(
            """
            SELECT count(*) FROM jobs INDEXED BY jobs_by_source
            WHERE source_sha IS NOT NULL AND state < 6 AND source_sha = ?
            """, [key])
        return claims == 0 && jobs == 0
    }

    /// Uploads from before `limit` that no job has taken up are given up; all archives that nobody needs.
    package func unusedSources(givingUpBefore limit: Int64) throws -> [Bytes32] {
        try run("UPDATE sources SET claims = 0 WHERE claims > 0 AND touched_ms < ?", [limit])
        let known = try all("SELECT sha FROM sources WHERE claims = 0").compactMap {
            Bytes32(bytes: [UInt8]($0["sha"] as Data))
        }
        return try known.filter { try isUnused($0) }
    }

    /// relayd has removed it.
    package func forgetSource(_ sha: Bytes32) throws {
        try run("DELETE FROM sources WHERE sha = ?", [Self.blob(sha.array)])
    }
}
