// schedulerd's database: jobs, attempts, steps, runners, sources. It talks to SQLite alone, and only Batch (Scheduling)
// writes through it: all that is ready in one pass of the loop goes into one transaction.

import CSQLite
import GRDB

/// One SQLite file, one connection. Not Sendable: it belongs to the loop's thread.
package final class Store {
    private let queue: DatabaseQueue

    /// Called inside each transaction, just before COMMIT; what it throws rolls everything back. Tests make a
    /// commit fail with it; the daemon leaves it nil.
    package var beforeCommit: (() throws -> Void)?

    /// Opens or makes the database, checks it and brings it to the current schema. `maximumPages` (of 4096 bytes)
    /// bounds the file; 0: no bound of our own. `wholeUpTo`: pages of a file that is checked as a whole. `schema`: an
    /// older one, for tests of what an earlier program has left. `refused`: told why a file is not opened, while it is
    /// open still; GRDB closes what it could not open, and a process that may not close ends in there.
    package init(
        path: String, maximumPages: Int = 0, wholeUpTo: Int = 16_384, schema: Int? = nil,
        refused: @escaping @Sendable (StoreError) -> Void = { _ in }
    ) throws(StoreError) {
        _ = Self.withoutStatistics
        var configuration = Configuration()
        configuration.foreignKeysEnabled = true
        configuration.busyMode = .timeout(5)
        configuration.label = "schedulerd"
        configuration.prepareDatabase { db in
            try Self.telling(refused) {
                // A view or trigger that somebody put into the file must not call functions with effects.
                try db.execute(sql: "PRAGMA trusted_schema = OFF")
                try db.execute(sql: "PRAGMA cell_size_check = ON")
                try Self.recognize(db)
            }
        }
        do {
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            try withExtendedLifetime(queue) {
                try Self.telling(refused) {
                    try Self.tune(queue, maximumPages: maximumPages)
                    try Self.check(queue, wholeUpTo: wholeUpTo)
                    try Self.migrate(queue, to: schema ?? Self.migrations.count)
                }
            }
            self.queue = queue
        } catch {
            throw StoreError(error)
        }
    }

    private static func telling(_ refused: (StoreError) -> Void, _ body: () throws -> Void) throws {
        do {
            try body()
        } catch {
            refused(StoreError(error))
            throw error
        }
    }

    /// Once in a process. Where SQLite has been in use before, as in tests, it goes on counting.
    private static let withoutStatistics = bh_sqlite_without_statistics()

    /// After the journal mode, because setting that mode resets `synchronous`: FULL is what makes an answer a promise.
    private static func tune(_ queue: DatabaseQueue, maximumPages: Int) throws {
        try queue.inDatabase { db in
            let mode = try String.fetchOne(db, sql: "PRAGMA journal_mode = WAL")
            guard mode == "wal" else { throw StoreError.failed("its journal is \(mode ?? "none")") }
            try db.execute(sql: "PRAGMA synchronous = FULL")
            // What a statement with triggers needs to undo itself: no files beside the database may be opened.
            try db.execute(sql: "PRAGMA temp_store = MEMORY")
            try db.execute(sql: "PRAGMA journal_size_limit = 16777216")
            if maximumPages > 0 { try db.execute(sql: "PRAGMA max_page_count = \(maximumPages)") }
        }
    }

    /// A damaged file is refused before anything is built on it. A start must not take as long as there is history: of
    /// a large file only those tables are read that it and the dispatcher are built on. What is damaged of the others
    /// is met by whoever reads it.
    private static func check(_ queue: DatabaseQueue, wholeUpTo limit: Int) throws {
        try queue.inDatabase { db in
            var found = ["ok"]
            if try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0 <= limit {
                found = try String.fetchAll(db, sql: "PRAGMA quick_check(3)")
            } else {
                for table in try String.fetchAll(db, sql: decisive) where found == ["ok"] {
                    found = try String.fetchAll(db, sql: "PRAGMA quick_check(\(table))")
                }
            }
            if found != ["ok"] { throw StoreError.corrupt(found.prefix(3).joined(separator: "; ")) }
        }
    }

    /// All tables but those that grow with what was and with what waits.
    private static let decisive = """
        SELECT name FROM sqlite_master WHERE type = 'table'
        AND name NOT IN ('jobs', 'attempts', 'steps', 'happenings', 'needs')
        """

    /// One transaction: everything that `body` does is durable when this returns, or nothing is.
    package func write(_ body: (StoreTransaction) throws -> Void) throws(StoreError) {
        do {
            try queue.inTransaction(.immediate) { db in
                try body(StoreTransaction(db))
                try beforeCommit?()
                return .commit
            }
        } catch {
            throw StoreError(error)
        }
    }

    /// What is committed, without a wait for the disk. `body` must not write. SQLite's own guard against that,
    /// `query_only`, would have every prepared statement compiled anew, which costs more than all that is read.
    package func read(_ body: (StoreTransaction) throws -> Void) throws(StoreError) {
        do {
            try queue.inTransaction(.deferred) { db in
                try body(StoreTransaction(db))
                return .rollback
            }
        } catch {
            throw StoreError(error)
        }
    }

    /// The value of one setting, for tests and status: "journal_mode", "synchronous".
    package func setting(_ name: String) throws(StoreError) -> String {
        do {
            return try queue.inDatabase { db in
                let value = try DatabaseValue.fetchOne(db, sql: "SELECT * FROM pragma_\(name)")
                guard let value else { return "" }
                return String.fromDatabaseValue(value) ?? Int.fromDatabaseValue(value).map(String.init) ?? ""
            }
        } catch {
            throw StoreError(error)
        }
    }
}
