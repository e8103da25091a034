// Schema version 12: how far the asking of forges that tell nobody has come.

import GRDB

extension Store {
    static let version12 = "ALTER TABLE projects ADD COLUMN cursor BLOB"
}
