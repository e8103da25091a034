// What keeps a QUEUED job out of the line: its gate, the groups of jobs, the host's tags.

import Foundation
import GRDB
package import Wire

extension StoreTransaction {
    package func gate(ofJob id: UInt64) throws -> Gate? {
        try one("SELECT gate FROM jobs WHERE id = ? AND state = 3", [Self.key(id)])
            .flatMap { Gate(rawValue: $0["gate"]) }
    }

    package func setGate(_ gate: Gate, ofJob id: UInt64) throws {
        try run(
            "UPDATE jobs SET gate = ?1 WHERE id = ?2 AND state = 3 AND gate <> ?1", [gate.rawValue, Self.key(id)])
    }

    /// The job of this group that is at work or on its way, other than `job`; nil if there is none.
    package func holder(ofGroup group: String, project: String, besides job: UInt64) throws -> UInt64? {
        let atWork = try one(
            """
            SELECT id FROM jobs INDEXED BY jobs_by_group WHERE group_name IS NOT NULL AND state < 6 AND project = ?
            AND group_name = ? AND state IN (4, 5) AND id <> ? LIMIT 1
            """, [project, group, Self.key(job)])
        let inLine = try one(
            """
            SELECT id FROM jobs INDEXED BY jobs_in_group WHERE state = 3 AND group_name IS NOT NULL AND project = ?
            AND group_name = ? AND gate IN (0, 2) AND id <> ? LIMIT 1
            """, [project, group, Self.key(job)])
        // Ended, and its container may still be at work.
        let onItsWayOut = try one(
            """
            SELECT jobs.id FROM runners JOIN jobs ON jobs.id = runners.fences WHERE jobs.project = ?
            AND jobs.group_name = ? AND jobs.id <> ? LIMIT 1
            """, [project, group, Self.key(job)])
        return (atWork ?? onItsWayOut ?? inLine).map { UInt64(bitPattern: $0["id"]) }
    }

    /// Who of a group is next: the highest priority, then the oldest.
    package func nextOfGroup(_ group: String, project: String) throws -> UInt64? {
        try one(
            """
            SELECT id FROM jobs INDEXED BY jobs_in_group WHERE state = 3 AND group_name IS NOT NULL AND project = ?
            AND group_name = ? AND gate = 1 ORDER BY priority DESC, id LIMIT 1
            """, [project, group]
        ).map { UInt64(bitPattern: $0["id"]) }
    }

    /// Groups of which somebody waits for another.
    package func waitingGroups() throws -> [(project: String, group: String)] {
        try all(
            """
            SELECT DISTINCT project, group_name FROM jobs INDEXED BY jobs_in_group
            WHERE state = 3 AND group_name IS NOT NULL AND gate = 1
            """
        ).map { ($0["project"], $0["group_name"]) }
    }

    /// The group of a job, of which nothing else need be readable.
    package func group(ofJob id: UInt64) throws -> (project: String, group: String)? {
        try one("SELECT project, group_name FROM jobs WHERE id = ? AND group_name IS NOT NULL", [Self.key(id)])
            .map { ($0["project"], $0["group_name"]) }
    }

    /// Jobs of a group that have not ended, came before `job` and are trusted no more; those that are to end already
    /// are left out. Those that wait come first, and last of them whose turn is next: none enters the line to be ended.
    package func older(
        inGroup group: String, project: String, than job: UInt64, trust: Trust, limit: Int
    ) throws -> [UInt64] {
        let condition = "project = ? AND group_name = ? AND id < ? AND trust >= ? AND cancel_requested = 0"
        let arguments: StatementArguments = [project, group, Self.key(job), Int64(trust.rawValue), limit]
        let waiting = try all(
            """
            SELECT id FROM jobs INDEXED BY jobs_in_group WHERE state = 3 AND group_name IS NOT NULL AND \(condition)
            ORDER BY gate DESC, priority, id DESC LIMIT ?
            """, arguments)
        if waiting.count == limit { return waiting.map { UInt64(bitPattern: $0["id"]) } }
        let others = try all(
            """
            SELECT id FROM jobs INDEXED BY jobs_by_group WHERE group_name IS NOT NULL AND state < 6
            AND state IN (1, 2, 4, 5) AND \(condition) LIMIT ?
            """, arguments)
        return (waiting + others).prefix(limit).map { UInt64(bitPattern: $0["id"]) }
    }

    /// QUEUED jobs that wait for another of their group, in their order, beyond `last`.
    package func behindGroups(after last: UInt64, limit: Int) throws -> [UInt64] {
        try all(
            """
            SELECT id FROM jobs INDEXED BY jobs_by_gate WHERE state = 3 AND gate > 0 AND gate = 1 AND id > ?
            ORDER BY id LIMIT ?
            """, [Self.key(last), limit]
        ).map { UInt64(bitPattern: $0["id"]) }
    }

    /// QUEUED jobs behind the fence of a runner that is gone from the books.
    package func jobsBehindNoFence() throws -> [UInt64] {
        try all(
            """
            SELECT id FROM jobs INDEXED BY jobs_by_gate WHERE state = 3 AND gate > 0 AND gate = 2
            AND NOT EXISTS (SELECT 1 FROM runners WHERE fences = jobs.id)
            """
        ).map { UInt64(bitPattern: $0["id"]) }
    }

    package func queuedJobsWithTags() throws -> [UInt64] {
        try all("SELECT id FROM jobs INDEXED BY jobs_by_tags WHERE state = 3 AND has_tags = 1").map {
            UInt64(bitPattern: $0["id"])
        }
    }

    /// True if the host had other tags before, or nobody knows which.
    package func keepTags(_ tags: Set<String>) throws -> Bool {
        try run(
            """
            INSERT INTO meta (key, value) VALUES ('tags', ?1)
            ON CONFLICT (key) DO UPDATE SET value = excluded.value WHERE value <> excluded.value
            """, [tags.sorted().joined(separator: ",")])
        return db.changesCount > 0
    }
}
