// Schema version 5: the turn of a project stands in one row for each of its priorities, and not in every line. Whoever
// makes every job of another kind has as many lines as jobs: a dispatch writes none of them but the one it serves.

import GRDB

extension Store {
    /// A row of `ranks` for each project and priority with something in line: whose turn is next. `waiting`: jobs in
    /// all of its lines.
    private static let ranks = """
        CREATE TABLE ranks (
            project TEXT NOT NULL,
            priority INTEGER NOT NULL,
            turn INTEGER NOT NULL,
            waiting INTEGER NOT NULL,
            PRIMARY KEY (project, priority)
        ) STRICT, WITHOUT ROWID;
        -- Unique by its key; said again, because then the lines of a rank need not be sorted.
        CREATE UNIQUE INDEX ranks_in_order ON ranks (priority DESC, turn, project);
        INSERT INTO ranks (project, priority, turn, waiting)
            SELECT project, priority, shares.turn, sum(waiting) FROM queues JOIN shares USING (project)
            GROUP BY project, priority;

        DROP TRIGGER job_begins_in_line;
        DROP TRIGGER job_enters_line;
        DROP TRIGGER job_leaves_line;
        DROP INDEX queues_in_order;
        ALTER TABLE queues DROP COLUMN turn;
        CREATE INDEX queues_of_rank ON queues (project, priority, head);
        """

    /// As in version 3.
    private static let credit = 10_000

    private static let enters = """
        INSERT OR IGNORE INTO shares (project, turn) VALUES (NEW.project, 0);
        UPDATE shares SET turn = max(turn, (SELECT value FROM meta WHERE key = 'clock')
                - CASE WHEN EXISTS (SELECT 1 FROM ranks WHERE project = NEW.project) THEN \(credit) ELSE 0 END)
            WHERE project = NEW.project;
        UPDATE ranks SET turn = (SELECT turn FROM shares WHERE project = NEW.project)
            WHERE project = NEW.project AND turn < (SELECT turn FROM shares WHERE project = NEW.project);
        INSERT INTO ranks (project, priority, turn, waiting)
            VALUES (NEW.project, NEW.priority, (SELECT turn FROM shares WHERE project = NEW.project), 1)
            ON CONFLICT DO UPDATE SET waiting = waiting + 1;
        INSERT INTO queues (project, shape, trust, needs_grant, priority, waiting, head)
            VALUES (NEW.project, NEW.shape, NEW.trust, NEW.needs_grant, NEW.priority, 1, NEW.id)
            ON CONFLICT DO UPDATE SET waiting = waiting + 1, head = min(head, excluded.head);
        """

    private static let ofOldLine = """
        project = OLD.project AND shape = OLD.shape AND trust = OLD.trust AND needs_grant = OLD.needs_grant
            AND priority = OLD.priority
        """

    private static let leaves = """
        UPDATE queues SET waiting = waiting - 1, head = coalesce((
                SELECT id FROM jobs WHERE state = 3 AND gate = 0 AND \(ofOldLine) ORDER BY id LIMIT 1), 0)
            WHERE \(ofOldLine);
        DELETE FROM queues WHERE waiting < 1 AND \(ofOldLine);
        UPDATE ranks SET waiting = waiting - 1 WHERE project = OLD.project AND priority = OLD.priority;
        DELETE FROM ranks WHERE waiting < 1 AND project = OLD.project AND priority = OLD.priority;
        """

    private static let triggers = """
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

    static let version5 = ranks + triggers
}
