// Schema version 10: deliveries go, too, and are known for ever.

import GRDB

extension Store {
    /// `received_at`: in the time of the house. `known_deliveries`: what is left of a delivery that has gone, so that
    /// its replay makes no job.
    static let version10 = """
        ALTER TABLE deliveries ADD COLUMN received_at INTEGER NOT NULL DEFAULT 0;
        UPDATE deliveries SET received_at = coalesce((SELECT value FROM meta WHERE key = 'house_ms'), 0);
        CREATE INDEX deliveries_by_age ON deliveries (received_at, id);

        CREATE TABLE known_deliveries (
            project TEXT NOT NULL,
            body BLOB NOT NULL,
            delivery INTEGER NOT NULL,
            PRIMARY KEY (project, body)
        ) STRICT, WITHOUT ROWID;
        """
}
