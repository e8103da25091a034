// Who is next. The lines are kept by triggers (Store+Version3); here they are read, and a project is charged for what
// it is given. A higher priority goes first, then the project that was served least, then the older job.

import Foundation
import GRDB
package import Wire

extension StoreTransaction {
    /// The first line, in the order of service, of which `isServable` is true; with `plain`, of jobs that need no
    /// grant. Its cost does not grow with the jobs that wait, only with the lines before it.
    package func nextLine(plain: Bool, where isServable: (Line) throws -> Bool) throws -> Line? {
        var walk = LineWalk()
        return try nextLine(&walk, plain: plain, where: isServable)
    }

    /// The first after those that the walk has seen. Lines may be served, and jobs may end, between two calls.
    package func nextLine(
        _ walk: inout LineWalk, plain: Bool, where isServable: (Line) throws -> Bool
    ) throws -> Line? {
        // A seek for each, because one condition for all would have SQLite step over what was seen: the rest of the
        // last one's rank, unless that has moved; the ranks behind it; the lower priorities.
        if let last = walk.last {
            let rest = try first(
                "ranks.priority = ? AND turn = ? AND ranks.project = ? AND head > ? ORDER BY head",
                [Int64(last.priority), last.turn, last.project, Self.key(last.head)], &walk, plain, isServable)
            if let rest { return rest }
            let behind = try first(
                "ranks.priority = ? AND (turn, ranks.project) > (?, ?) ORDER BY turn, ranks.project, head",
                [Int64(last.priority), last.turn, last.project], &walk, plain, isServable)
            if let behind { return behind }
        }
        return try first(
            "ranks.priority < ? ORDER BY ranks.priority DESC, turn, ranks.project, head",
            [walk.last.map { Int64($0.priority) } ?? Int64.max], &walk, plain, isServable)
    }

    private func first(
        _ condition: String, _ arguments: [any Bindable], _ walk: inout LineWalk, _ plain: Bool,
        _ isServable: (Line) throws -> Bool
    ) throws -> Line? {
        let rows = try Query(db, Self.linesInOrder + condition, arguments)
        defer { rows.end() }
        while !walk.isCut, var row = try rows.next() {
            let line = try Line(&row)
            walk.last = line
            walk.count += 1
            if !(plain && line.needsGrant), try isServable(line) { return line }
        }
        return nil
    }

    /// The plus keeps SQLite from reading the lines of all priorities of a project where it looks for those of one.
    package static let linesInOrder = """
        SELECT \(Line.columns)
        FROM ranks INDEXED BY ranks_in_order CROSS JOIN queues INDEXED BY queues_of_rank
        ON queues.project = ranks.project AND queues.priority = +ranks.priority WHERE

        """

    /// A project is given a runner: its next turn comes after those of projects that were given less. As many rows are
    /// written as it has priorities in line, however many kinds of jobs.
    package func charge(_ project: String, cpuMillis: UInt32) throws {
        // The clock is where the one stood that is served: who comes anew begins here, not with a credit.
        try run(
            """
            UPDATE meta SET value = max(value, (SELECT turn FROM shares WHERE project = ?)) WHERE key = 'clock'
            """, [project])
        try run("UPDATE shares SET turn = turn + ? WHERE project = ?", [Int64(cpuMillis), project])
        try run(
            "UPDATE ranks SET turn = (SELECT turn FROM shares WHERE project = ?1) WHERE project = ?1", [project])
    }

    /// Projects with nothing in line that would begin at the clock anyway.
    package func forgetShares() throws {
        try run(
            """
            DELETE FROM shares WHERE turn <= (SELECT value FROM meta WHERE key = 'clock')
            AND NOT EXISTS (SELECT 1 FROM ranks WHERE ranks.project = shares.project)
            """)
    }

    /// How many jobs of a pool wait in line.
    package func waiting(_ pool: Pool) throws -> Int {
        try count(
            "SELECT coalesce(sum(waiting), 0) FROM queues INDEXED BY queues_by_pool WHERE shape = ? AND trust = ?",
            [pool.shape, Int64(pool.trust.rawValue)])
    }

    /// How many wait in lines that are served before those of each rank, of the first `limit` ranks; and in all of
    /// these.
    package func waitingBefore(limit: Int) throws -> (before: [Rank: Int], all: Int) {
        var (before, all): ([Rank: Int], Int) = ([:], 0)
        let sql = """
            SELECT project, priority, waiting FROM ranks INDEXED BY ranks_in_order
            ORDER BY priority DESC, turn, project LIMIT ?
            """
        for row in try self.all(sql, [limit]) {
            before[Rank(project: row[0], priority: UInt8(clamping: row[1] as Int64))] = all
            all += row[2] as Int
        }
        return (before, all)
    }

    /// How many older jobs of its project and priority are in line, of whatever kind they are; no more than `limit` are
    /// counted. Each line has one at least, so the limit bounds the lines, too.
    package func before(_ job: JobRow, limit: Int) throws -> Int {
        try count(
            """
            SELECT count(*) FROM (SELECT 1 FROM queues INDEXED BY queues_of_rank
                CROSS JOIN jobs INDEXED BY jobs_in_line
                ON jobs.state = 3 AND jobs.gate = 0 AND jobs.project = queues.project AND jobs.shape = queues.shape
                AND jobs.trust = queues.trust AND jobs.needs_grant = queues.needs_grant
                AND jobs.priority = queues.priority
                WHERE queues.project = ?1 AND queues.priority = ?2 AND queues.head < ?3 AND jobs.id < ?3 LIMIT ?4)
            """,
            [job.project, Int64(job.priority), Self.key(job.id), limit])
    }

    /// Jobs by state, kept by triggers: the same cost with a million jobs as with one.
    package func tally() throws -> [Wire.JobState: Int] {
        var tally: [Wire.JobState: Int] = [:]
        for row in try all("SELECT state, jobs FROM tally") {
            if let state = UInt8(exactly: row["state"] as Int64).flatMap({ Wire.JobState(rawValue: $0) }) {
                tally[state] = row["jobs"]
            }
        }
        return tally
    }

    // MARK: patience

    /// QUEUED jobs whose time in the queue is over at this time of the house.
    package func expired(at house: Int64, limit: Int) throws -> [UInt64] {
        try all(
            """
            SELECT id FROM jobs INDEXED BY jobs_by_expiry WHERE state = 3 AND expires_at IS NOT NULL
            AND expires_at <= ? ORDER BY expires_at LIMIT ?
            """, [house, limit]
        ).map { UInt64(bitPattern: $0["id"]) }
    }

    /// When the next one's is over.
    package func nextExpiry() throws -> Int64? {
        try one(
            """
            SELECT expires_at FROM jobs INDEXED BY jobs_by_expiry WHERE state = 3 AND expires_at IS NOT NULL
            ORDER BY expires_at LIMIT 1
            """
        ).map { $0["expires_at"] }
    }
}
