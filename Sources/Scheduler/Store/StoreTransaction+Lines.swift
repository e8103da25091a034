// The lines and the tally against the jobs. Triggers keep them; whatever else wrote the file did not, and a line that
// is missing would have its project wait for ever.

import GRDB

extension StoreTransaction {
    /// Makes them anew if they are not what the jobs say. True if they were not.
    package func mendLines() throws -> Bool {
        let pairs = [
            (Self.linesKept, Self.linesOfJobs), (Self.ranksKept, Self.ranksOfLines),
            (Self.tallyKept, Self.tallyOfJobs(Self.live)),
        ]
        let isGood = try count("SELECT " + pairs.map(Self.differ).joined(separator: " + ")) == 0
        if isGood { return false }
        for sql in [
            "DELETE FROM queues", "DELETE FROM ranks",
            """
            INSERT OR IGNORE INTO shares (project, turn)
                SELECT DISTINCT project, (SELECT value FROM meta WHERE key = 'clock') FROM jobs
                WHERE state = 3 AND gate = 0
            """,
            """
            INSERT INTO queues (project, shape, trust, needs_grant, priority, waiting, head) \(Self.linesOfJobs)
            """,
            "INSERT INTO ranks (project, priority, waiting, turn) \(Self.ranksOfLines)",
            "DELETE FROM tally", "INSERT INTO tally (state, jobs) \(Self.tallyOfJobs("true"))",
        ] { try run(sql) }
        return true
    }

    private static let linesOfJobs = """
        SELECT project, shape, trust, needs_grant, priority, count(*) AS waiting, min(id) AS head FROM jobs
        INDEXED BY jobs_in_line WHERE state = 3 AND gate = 0 GROUP BY project, shape, trust, needs_grant, priority
        """

    private static let linesKept = "SELECT project, shape, trust, needs_grant, priority, waiting, head FROM queues"

    private static let ranksOfLines = """
        SELECT project, priority, sum(waiting) AS waiting, turn FROM queues LEFT JOIN shares USING (project)
        GROUP BY project, priority
        """

    private static let ranksKept = "SELECT project, priority, waiting, turn FROM ranks"

    /// Over an index alone.
    private static func tallyOfJobs(_ states: String) -> String {
        """
        SELECT state, count(*) AS jobs FROM jobs INDEXED BY jobs_by_state WHERE state <> 3 AND \(states) GROUP BY state
        UNION ALL
        SELECT 3, n FROM (SELECT count(*) AS n FROM jobs INDEXED BY jobs_queue WHERE state = 3) WHERE n > 0
        """
    }

    /// A start must not take as long as there is history: how many have ended is only shown, and made anew with the
    /// rest.
    private static let live = "state < 6"

    private static func differ(_ kept: String, _ counted: String) -> String {
        """
        EXISTS (SELECT * FROM (\(kept)) EXCEPT SELECT * FROM (\(counted)))
        + EXISTS (SELECT * FROM (\(counted)) EXCEPT SELECT * FROM (\(kept)))
        """
    }

    private static let tallyKept = "SELECT state, jobs FROM tally WHERE jobs <> 0 AND \(live)"
}
