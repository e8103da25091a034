// Schema version 8: projects, what webhooks have brought for them, and who has approved what.

import GRDB

extension Store {
    /// `next_*`: sent to brokerd, which has not answered yet; whichever of the two it names is the one that holds.
    private static let projects = """
        CREATE TABLE projects (
            name TEXT PRIMARY KEY NOT NULL,
            document BLOB,
            revision BLOB,
            next_document BLOB,
            next_revision BLOB,
            set_ms INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        """

    /// `body`: SHA-256 of the delivery's body, which makes a repeated one known. `word`: brokerd's word on it.
    /// `number`: of its change, 0 for none. States as numbers of scheduler.wire: 1 waits, 2 held, 3 planned.
    private static let deliveries = """
        CREATE TABLE deliveries (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            project TEXT NOT NULL,
            body BLOB NOT NULL,
            word BLOB NOT NULL,
            number INTEGER NOT NULL,
            received_ms INTEGER NOT NULL,
            state INTEGER NOT NULL,
            what TEXT NOT NULL,
            text TEXT NOT NULL
        ) STRICT;
        CREATE UNIQUE INDEX deliveries_once ON deliveries (project, body);
        CREATE INDEX deliveries_held ON deliveries (project, number) WHERE state = 2;

        -- A job of a delivery. job: none yet, while brokerd has not vouched for it. open: that is still to be done.
        CREATE TABLE delivery_jobs (
            delivery INTEGER NOT NULL,
            name TEXT NOT NULL,
            job INTEGER,
            open INTEGER NOT NULL,
            PRIMARY KEY (delivery, name)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX delivery_jobs_open ON delivery_jobs (delivery) WHERE open = 1;
        CREATE UNIQUE INDEX delivery_jobs_by_job ON delivery_jobs (job) WHERE job IS NOT NULL;

        -- The last approval of each change.
        CREATE TABLE approvals (
            project TEXT NOT NULL,
            number INTEGER NOT NULL,
            word BLOB NOT NULL,
            PRIMARY KEY (project, number)
        ) STRICT, WITHOUT ROWID;
        """

    static let version8 = projects + deliveries
}
