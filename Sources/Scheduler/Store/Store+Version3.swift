// Schema version 3: the schedule of a job. Who is next is kept by triggers, so that no path by which a job's state
// changes can forget to say so: `queues` has a row for each kind of waiting job, `tally` a count for each state.

import Foundation
import GRDB
import Wire

extension Store {
    /// gate, of a QUEUED job: see `Gate`. Times of the house (`queued_at`, `expires_at`, `used_at`) are milliseconds in
    /// which a schedulerd was up: a wall clock that jumps ends nobody's patience.
    private static let columns = """
        ALTER TABLE jobs ADD COLUMN schedule BLOB NOT NULL DEFAULT x'';
        ALTER TABLE jobs ADD COLUMN priority INTEGER NOT NULL DEFAULT 50;
        ALTER TABLE jobs ADD COLUMN gate INTEGER NOT NULL DEFAULT 0 CHECK (gate BETWEEN 0 AND 3);
        ALTER TABLE jobs ADD COLUMN group_name TEXT;
        ALTER TABLE jobs ADD COLUMN has_tags INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE jobs ADD COLUMN queued_at INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE jobs ADD COLUMN expires_at INTEGER;
        -- Attempts that ended by a fault of the house.
        ALTER TABLE jobs ADD COLUMN faults INTEGER NOT NULL DEFAULT 0;
        -- The job that waits until this runner's container is gone.
        ALTER TABLE runners ADD COLUMN fences INTEGER;

        -- A job waits for these to end.
        CREATE TABLE needs (
            job INTEGER NOT NULL,
            needed INTEGER NOT NULL,
            PRIMARY KEY (job, needed)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX needs_by_needed ON needs (needed, job);

        CREATE TABLE happenings (
            id INTEGER PRIMARY KEY,
            job INTEGER NOT NULL,
            at_ms INTEGER NOT NULL,
            text TEXT NOT NULL
        ) STRICT;
        CREATE INDEX happenings_by_job ON happenings (job, id);

        -- When a runner of this pool was last given a job.
        CREATE TABLE pools (
            shape INTEGER NOT NULL REFERENCES shapes (id),
            trust INTEGER NOT NULL,
            used_at INTEGER NOT NULL,
            PRIMARY KEY (shape, trust)
        ) STRICT, WITHOUT ROWID;

        -- Exclusive by its key.
        CREATE TABLE leases (
            device TEXT PRIMARY KEY NOT NULL,
            runner BLOB NOT NULL REFERENCES runners (id) ON DELETE CASCADE
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX leases_by_runner ON leases (runner);

        -- Fair share: the project that has been served least is next. A turn is the service so far, in thousandths of a
        -- CPU; `clock` is the turn that was served last, at which a project begins that had nothing waiting.
        CREATE TABLE shares (
            project TEXT PRIMARY KEY NOT NULL,
            turn INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        INSERT INTO meta (key, value) VALUES ('clock', 0), ('house_ms', 0), ('draining', 0);
        -- The number of a job that is forgotten is never another's: tickets, tokens and logs are named by it.
        INSERT INTO meta (key, value) SELECT 'next_job', coalesce(max(id), 0) + 1 FROM jobs;

        CREATE TABLE queues (
            project TEXT NOT NULL,
            shape INTEGER NOT NULL,
            trust INTEGER NOT NULL,
            needs_grant INTEGER NOT NULL,
            priority INTEGER NOT NULL,
            waiting INTEGER NOT NULL,
            turn INTEGER NOT NULL,
            head INTEGER NOT NULL,
            PRIMARY KEY (project, shape, trust, needs_grant, priority)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX queues_in_order ON queues (priority DESC, turn, project, head);

        CREATE TABLE tally (
            state INTEGER PRIMARY KEY,
            jobs INTEGER NOT NULL
        ) STRICT;

        DROP INDEX jobs_queue;
        DROP INDEX jobs_queue_by_pool;
        DROP INDEX jobs_plain_queue;
        DROP INDEX jobs_plain_queue_by_pool;
        CREATE INDEX jobs_queue ON jobs (id) WHERE state = 3;
        CREATE INDEX jobs_in_line ON jobs (project, shape, trust, needs_grant, priority, id)
            WHERE state = 3 AND gate = 0;
        CREATE INDEX jobs_by_group ON jobs (project, group_name, state, id) WHERE group_name IS NOT NULL AND state < 6;
        CREATE INDEX jobs_by_gate ON jobs (gate, id) WHERE state = 3 AND gate > 0;
        CREATE INDEX jobs_by_tags ON jobs (id) WHERE state = 3 AND has_tags = 1;
        CREATE INDEX jobs_in_group ON jobs (project, group_name, gate, priority DESC, id)
            WHERE state = 3 AND group_name IS NOT NULL;
        CREATE INDEX jobs_by_expiry ON jobs (expires_at) WHERE state = 3 AND expires_at IS NOT NULL;
        CREATE INDEX jobs_by_end ON jobs (finished_ms) WHERE state > 5;
        """

    /// What a project may be behind the clock, in thousandths of a CPU: one job that can never run must not gather
    /// turns for all that follow it.
    private static let credit = 10_000

    private static let enters = """
        INSERT OR IGNORE INTO shares (project, turn) VALUES (NEW.project, 0);
        UPDATE shares SET turn = max(turn, (SELECT value FROM meta WHERE key = 'clock')
                - CASE WHEN EXISTS (SELECT 1 FROM queues WHERE project = NEW.project) THEN \(credit) ELSE 0 END)
            WHERE project = NEW.project;
        UPDATE queues SET turn = (SELECT turn FROM shares WHERE project = NEW.project)
            WHERE project = NEW.project AND turn < (SELECT turn FROM shares WHERE project = NEW.project);
        INSERT INTO queues (project, shape, trust, needs_grant, priority, waiting, turn, head)
            VALUES (NEW.project, NEW.shape, NEW.trust, NEW.needs_grant, NEW.priority, 1,
                (SELECT turn FROM shares WHERE project = NEW.project), NEW.id)
            ON CONFLICT DO UPDATE SET waiting = waiting + 1, head = min(head, excluded.head);
        """

    private static let leaves = """
        UPDATE queues SET waiting = waiting - 1, head = coalesce((
                SELECT id FROM jobs WHERE state = 3 AND gate = 0 AND project = OLD.project AND shape = OLD.shape
                AND trust = OLD.trust AND needs_grant = OLD.needs_grant AND priority = OLD.priority
                ORDER BY id LIMIT 1), 0)
            WHERE project = OLD.project AND shape = OLD.shape
            AND trust = OLD.trust AND needs_grant = OLD.needs_grant AND priority = OLD.priority;
        DELETE FROM queues WHERE waiting < 1 AND project = OLD.project AND shape = OLD.shape
            AND trust = OLD.trust AND needs_grant = OLD.needs_grant AND priority = OLD.priority;
        """

    private static let triggers = """
        CREATE TRIGGER job_counted AFTER INSERT ON jobs BEGIN
            INSERT INTO tally (state, jobs) VALUES (NEW.state, 1) ON CONFLICT DO UPDATE SET jobs = jobs + 1;
        END;
        CREATE TRIGGER job_recounted AFTER UPDATE OF state ON jobs WHEN NEW.state <> OLD.state BEGIN
            UPDATE tally SET jobs = jobs - 1 WHERE state = OLD.state;
            INSERT INTO tally (state, jobs) VALUES (NEW.state, 1) ON CONFLICT DO UPDATE SET jobs = jobs + 1;
        END;
        CREATE TRIGGER job_forgotten AFTER DELETE ON jobs BEGIN
            UPDATE tally SET jobs = jobs - 1 WHERE state = OLD.state;
        END;
        CREATE TRIGGER job_begins_in_line AFTER INSERT ON jobs WHEN NEW.state = 3 AND NEW.gate = 0 BEGIN
            \(enters)
        END;
        CREATE TRIGGER job_enters_line AFTER UPDATE OF state, gate ON jobs
        WHEN NEW.state = 3 AND NEW.gate = 0 AND NOT (OLD.state = 3 AND OLD.gate = 0) BEGIN
            \(enters)
        END;
        CREATE TRIGGER job_leaves_line AFTER UPDATE OF state, gate ON jobs
        WHEN OLD.state = 3 AND OLD.gate = 0 AND NOT (NEW.state = 3 AND NEW.gate = 0) BEGIN
            \(leaves)
        END;
        """

    /// Jobs from before get the usual schedule. A ticket of such a job names a definition without one: brokerd will
    /// refuse it if the job has secrets, and the reason says to submit it again.
    static func version3(_ db: Database) throws {
        try db.execute(sql: columns)
        try db.execute(sql: triggers)
        let usual = Data(try StoreTransaction.bytes(Schedule.usual))
        try db.execute(sql: "UPDATE jobs SET schedule = ?", arguments: [usual])
        try recode(db)
        try db.execute(
            sql: """
                INSERT INTO tally (state, jobs) SELECT state, count(*) FROM jobs GROUP BY state;
                INSERT OR IGNORE INTO shares (project, turn) SELECT DISTINCT project, 0 FROM jobs WHERE state = 3;
                INSERT INTO queues (project, shape, trust, needs_grant, priority, waiting, turn, head)
                    SELECT project, shape, trust, needs_grant, priority, count(*), 0, min(id) FROM jobs WHERE state = 3
                    GROUP BY project, shape, trust, needs_grant, priority;
                """)
    }
}
