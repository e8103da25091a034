// Schema version 12: how far the asking of forges that tell nobody has come; a project's deliveries, newest first.

import GRDB

extension Store {
    static let version12 = """
        ALTER TABLE projects ADD COLUMN cursor BLOB;
        CREATE INDEX deliveries_by_project ON deliveries (project, id);
        """
}
