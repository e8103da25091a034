// Schema version 6: how long a job has ended, and an archive waits, in the time of the house. A wall clock that jumps
// by a year must not remove the logs of a year.

import GRDB

extension Store {
    /// What ended before, or was uploaded, did so at the upgrade, by this count: nothing goes too early.
    static let version6 = """
        -- Of an ended job; see `queued_at` for what it is counted in.
        ALTER TABLE jobs ADD COLUMN ended_at INTEGER;
        UPDATE jobs SET ended_at = (SELECT value FROM meta WHERE key = 'house_ms') WHERE state > 5;
        DROP INDEX jobs_by_end;
        CREATE INDEX jobs_by_end ON jobs (ended_at) WHERE state > 5;

        ALTER TABLE sources RENAME COLUMN touched_ms TO touched_at;
        UPDATE sources SET touched_at = (SELECT value FROM meta WHERE key = 'house_ms');
        """
}
