// Schema version 4: the lines of a pool are found without a look at all others.

import GRDB

extension Store {
    /// Not `waiting`, too: the index is touched when a line begins and ends, and not by every job of it.
    static let version4 = "CREATE INDEX queues_by_pool ON queues (shape, trust)"
}
