// Schema version 2: projects, trust, tickets, grants.

import GRDB

extension Store {
    /// What version 1 holds is of the project `default`, names no secret and is trusted by nobody. 3 is untrusted.
    private static let script = """
        ALTER TABLE jobs ADD COLUMN project TEXT NOT NULL DEFAULT 'default';
        ALTER TABLE jobs ADD COLUMN trust INTEGER NOT NULL DEFAULT 3 CHECK (trust BETWEEN 1 AND 3);
        -- brokerd's word, as it came; NULL in jobs from before there were tickets.
        ALTER TABLE jobs ADD COLUMN ticket BLOB;
        -- 1: brokerd is asked for a grant before a runner is told.
        ALTER TABLE jobs ADD COLUMN needs_grant INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE runners ADD COLUMN trust INTEGER NOT NULL DEFAULT 3 CHECK (trust BETWEEN 1 AND 3);
        -- The directory that brokerd has prepared for it; spawnerd is asked for no container before it is here.
        ALTER TABLE runners ADD COLUMN grant_id BLOB;
        -- 1: the runner has read its grant.
        ALTER TABLE attempts ADD COLUMN taken INTEGER NOT NULL DEFAULT 0;

        -- Runners of equal shape and trust are interchangeable. The heads of the queues without grants are found as
        -- fast while brokerd releases nothing.
        DROP INDEX jobs_queue_by_shape;
        CREATE INDEX jobs_queue_by_pool ON jobs (shape, trust, id) WHERE state = 3;
        CREATE INDEX jobs_plain_queue ON jobs (id) WHERE state = 3 AND needs_grant = 0;
        CREATE INDEX jobs_plain_queue_by_pool ON jobs (shape, trust, id) WHERE state = 3 AND needs_grant = 0;
        """

    /// What it changed of encodings, version 3 makes good (Store+Encodings).
    static func version2(_ db: Database) throws {
        try db.execute(sql: script)
    }
}
