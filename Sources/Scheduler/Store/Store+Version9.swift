// Schema version 9: what a forge is told of the jobs that it has caused.

import GRDB

extension Store {
    /// `base`: where the forge says that a change is based, if its delivery did not. `posted`: the state (courier.wire)
    /// of which the forge was told last; 0 none, 255: it is told nothing.
    static let version9 = """
        ALTER TABLE deliveries ADD COLUMN base TEXT NOT NULL DEFAULT '';
        ALTER TABLE delivery_jobs ADD COLUMN posted INTEGER NOT NULL DEFAULT 255;
        CREATE INDEX delivery_jobs_unposted ON delivery_jobs (delivery, name)
            WHERE job IS NOT NULL AND posted IN (0, 1, 2, 7);

        DROP INDEX deliveries_held;
        CREATE INDEX deliveries_pending ON deliveries (project, number) WHERE number > 0 AND state IN (1, 2);
        CREATE INDEX deliveries_by_change ON deliveries (project, number, id) WHERE number > 0;

        -- A comment below a change that is to be written anew. marks: how often that was said.
        CREATE TABLE comments (
            project TEXT NOT NULL,
            number INTEGER NOT NULL,
            marks INTEGER NOT NULL,
            PRIMARY KEY (project, number)
        ) STRICT, WITHOUT ROWID;
        """
}
