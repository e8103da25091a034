// Archives in relayd's store: who still needs one. An archive is removed when no unfinished job uses it and no
// finished upload of it waits to be taken up by a job.

import Foundation
import GRDB
package import Wire

extension StoreTransaction {
    /// An upload has ended: the archive is kept for the job that will name it. Times are of the house.
    package func noteUpload(_ source: Source, at house: Int64) throws {
        try run(
            """
            INSERT INTO sources (sha, size, claims, touched_at) VALUES (?, ?, 1, ?)
            ON CONFLICT (sha) DO UPDATE SET claims = claims + 1, leaving = 0, touched_at = excluded.touched_at
            """,
            [Self.blob(source.sha256.array), Self.key(source.size), house])
    }

    /// True if this archive is in the store; a job takes up one upload of it.
    package func takeUp(_ source: Source) throws -> Bool {
        let key = Self.blob(source.sha256.array)
        guard let row = try one("SELECT size FROM sources WHERE sha = ? AND leaving = 0", [key]),
            (row["size"] as Int64) == Self.key(source.size)
        else { return false }
        try run("UPDATE sources SET claims = max(claims - 1, 0) WHERE sha = ?", [key])
        return true
    }

    /// If nobody needs this archive any more: it is not given to a job from now on, and this says true.
    package func retire(_ sha: Bytes32) throws -> Bool {
        let key = Self.blob(sha.array)
        let claims = try count("SELECT claims FROM sources WHERE sha = ?", [key])
        let jobs = try count(
            """
            SELECT count(*) FROM jobs INDEXED BY jobs_by_source
            WHERE source_sha IS NOT NULL AND state < 6 AND source_sha = ?
            """, [key])
        if claims > 0 || jobs > 0 { return false }
        try run("UPDATE sources SET leaving = 1 WHERE sha = ?", [key])
        return true
    }

    /// All that nobody needs, retired. Uploads from before `limit` that no job has taken up are given up.
    package func retireSources(givingUpBefore limit: Int64) throws -> [Bytes32] {
        try run("UPDATE sources SET claims = 0 WHERE claims > 0 AND touched_at < ?", [limit])
        let known = try all("SELECT sha FROM sources WHERE claims = 0").compactMap {
            Bytes32(bytes: [UInt8]($0["sha"] as Data))
        }
        return try known.filter { try retire($0) }
    }

    /// relayd has removed it, unless it was uploaded anew meanwhile.
    package func forgetSource(_ sha: Bytes32) throws {
        try run("DELETE FROM sources WHERE sha = ? AND leaving = 1", [Self.blob(sha.array)])
    }
}
