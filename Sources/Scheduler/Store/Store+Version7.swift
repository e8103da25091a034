// Schema version 7: shapes that nobody uses any more can be found, and go.

import GRDB

extension Store {
    /// Without the index each shape that goes would have SQLite look through all jobs for one that names it.
    static let version7 = """
        CREATE INDEX jobs_by_shape ON jobs (shape);
        -- As with jobs: the number of one that is gone is never another's, or a runner of the one could be taken for a
        -- runner of the other.
        INSERT INTO meta (key, value) SELECT 'next_shape', coalesce(max(id), 0) + 1 FROM shapes;
        """
}
