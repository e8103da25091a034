// The tables of schedulerd's database and how an older file becomes a newer one.

import GRDB

extension Store {
    /// `BULK`: written into the file's header, so that another program's database is not taken for ours.
    static let applicationID = 0x4255_4C4B

    /// One step for each schema version, in order; a released one never changes.
    static var migrations: [(Database) throws -> Void] {
        [
            { try $0.execute(sql: version1) }, version2, version3, { try $0.execute(sql: version4) },
            { try $0.execute(sql: version5) }, { try $0.execute(sql: version6) },
            { try $0.execute(sql: version7) }, { try $0.execute(sql: version8) },
            { try $0.execute(sql: version9) },
            { try $0.execute(sql: version10) },
            { try $0.execute(sql: version11) },
            { try $0.execute(sql: version12) }, version13, { try $0.execute(sql: version14) },
            { try $0.execute(sql: version15) },
        ]
    }

    /// States as numbers of types.wire: 3 is queued, 6 and above are final.
    private static let version1 = """
        CREATE TABLE meta (
            key TEXT PRIMARY KEY NOT NULL,
            value ANY NOT NULL
        ) STRICT, WITHOUT ROWID;

        -- Two runners of equal shape are interchangeable; equal is: the same canonical bytes.
        CREATE TABLE shapes (
            id INTEGER PRIMARY KEY,
            bytes BLOB NOT NULL UNIQUE
        ) STRICT;

        CREATE TABLE jobs (
            id INTEGER PRIMARY KEY,
            request_id TEXT NOT NULL UNIQUE,
            name TEXT NOT NULL,
            image TEXT NOT NULL,
            shape INTEGER NOT NULL REFERENCES shapes (id),
            spec BLOB NOT NULL,
            timeout_seconds INTEGER NOT NULL,
            source_sha BLOB,
            source_size INTEGER,
            state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 10),
            reason TEXT NOT NULL DEFAULT '',
            created_ms INTEGER NOT NULL,
            started_ms INTEGER,
            finished_ms INTEGER,
            cancel_requested INTEGER NOT NULL DEFAULT 0,
            cancel_grace INTEGER NOT NULL DEFAULT 0,
            attempts INTEGER NOT NULL DEFAULT 0,
            result BLOB,
            log_bytes INTEGER NOT NULL DEFAULT 0
        ) STRICT;
        -- The queue: its head is found in the same time with a million rows waiting as with one.
        CREATE INDEX jobs_queue ON jobs (id) WHERE state = 3;
        CREATE INDEX jobs_queue_by_shape ON jobs (shape, id) WHERE state = 3;
        CREATE INDEX jobs_by_state ON jobs (state, id) WHERE state <> 3;
        CREATE INDEX jobs_by_source ON jobs (source_sha) WHERE source_sha IS NOT NULL AND state < 6;

        -- state: 1 open, 2 ended, 3 settled (relayd has forgotten it), 4 void (no runner was told).
        CREATE TABLE attempts (
            job INTEGER NOT NULL REFERENCES jobs (id),
            attempt INTEGER NOT NULL,
            epoch INTEGER NOT NULL,
            runner BLOB NOT NULL,
            state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 4),
            told INTEGER NOT NULL DEFAULT 0,
            PRIMARY KEY (job, attempt)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX attempts_unsettled ON attempts (state, job) WHERE state < 3;

        CREATE TABLE steps (
            job INTEGER NOT NULL REFERENCES jobs (id),
            step INTEGER NOT NULL,
            started_ms INTEGER,
            result BLOB,
            PRIMARY KEY (job, step)
        ) STRICT, WITHOUT ROWID;

        -- wanted: 1 if a person asked for this runner, 0 if it was made for a job.
        CREATE TABLE runners (
            id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
            shape INTEGER NOT NULL REFERENCES shapes (id),
            state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 5),
            job INTEGER UNIQUE REFERENCES jobs (id),
            wanted INTEGER NOT NULL,
            created_ms INTEGER NOT NULL,
            reason TEXT NOT NULL DEFAULT ''
        ) STRICT, WITHOUT ROWID;

        -- Archives in relayd's store. claims: uploads of it that no job has taken up yet. leaving: 1 while it is
        -- being removed.
        CREATE TABLE sources (
            sha BLOB PRIMARY KEY NOT NULL CHECK (length(sha) = 32),
            size INTEGER NOT NULL,
            claims INTEGER NOT NULL,
            leaving INTEGER NOT NULL DEFAULT 0,
            touched_ms INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        """

    /// The first look at the file, before anything is written to it.
    static func recognize(_ db: Database) throws {
        let application = try Int.fetchOne(db, sql: "PRAGMA application_id") ?? 0
        let tables = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master") ?? 0
        if application != applicationID && tables > 0 { throw StoreError.foreignDatabase }
        let found = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
        if found > migrations.count { throw StoreError.newerDatabase(found: found, known: migrations.count) }
    }

    /// Brings the file to our version in one transaction, or leaves it as it was.
    static func migrate(_ queue: DatabaseQueue, to version: Int) throws {
        try queue.write { db in
            let found = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
            guard found < version else { return }
            for step in migrations[found..<version] { try step(db) }
            try db.execute(sql: "PRAGMA application_id = \(applicationID)")
            try db.execute(sql: "PRAGMA user_version = \(version)")
        }
    }
}
