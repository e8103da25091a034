// Schema version 13: runners at GitLab, and the jobs that it has given us. Their tokens and secrets are in brokerd's
// words, sealed.

import GRDB

extension Store {
    /// `leave`: what courierd is told when the runner is to go. `job`: of this house, once it is prepared. `ending`:
    /// how it ended without one (JobEndWord), 0: not.
    static func version13(_ db: Database) throws {
        try recode(db)
        try db.execute(
            sql: """
                CREATE TABLE gitlab_runners (
                    project TEXT NOT NULL,
                    slot INTEGER NOT NULL,
                    leave BLOB NOT NULL,
                    -- One for a single job has it.
                    spent INTEGER NOT NULL DEFAULT 0,
                    PRIMARY KEY (project, slot)
                ) STRICT, WITHOUT ROWID;

                CREATE TABLE gitlab_jobs (
                    project TEXT NOT NULL,
                    number INTEGER NOT NULL,
                    slot INTEGER NOT NULL,
                    definition BLOB NOT NULL,
                    word BLOB NOT NULL,
                    job INTEGER,
                    ending INTEGER NOT NULL DEFAULT 0,
                    text TEXT NOT NULL DEFAULT '',
                    PRIMARY KEY (project, number)
                ) STRICT, WITHOUT ROWID;
                CREATE UNIQUE INDEX gitlab_jobs_by_job ON gitlab_jobs (job) WHERE job IS NOT NULL;
                """)
    }
}
