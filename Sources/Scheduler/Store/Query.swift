// The statements of a job's life: bound, stepped and read through SQLite's own interface. GRDB prepares and keeps them,
// and begins and ends transactions; on binding and reading it spends as much again as SQLite does on the work.

import CSQLite
import GRDB

/// One execution of a prepared statement.
struct Query {
    private let db: Database
    private let statement: SQLiteStatement

    init(_ db: Database, _ sql: String, _ arguments: [any Bindable]) throws {
        self.db = db
        statement = try db.cachedStatement(sql: sql).sqliteStatement
        guard sqlite3_bind_parameter_count(statement) == arguments.count else {
            throw StoreError.failed("\(arguments.count) values for: \(sql)")
        }
        for (index, argument) in arguments.enumerated() {
            try check(argument.bind(to: statement, at: Int32(index + 1)), SQLITE_OK)
        }
    }

    func run() throws {
        defer { end() }
        while try next() != nil {}
    }

    /// What is read of the first row, if there is one.
    func one<T>(_ read: (inout Columns) throws -> T) throws -> T? {
        defer { end() }
        guard var columns = try next() else { return nil }
        return try read(&columns)
    }

    func all<T>(_ read: (inout Columns) throws -> T) throws -> [T] {
        defer { end() }
        var found: [T] = []
        while var columns = try next() { found.append(try read(&columns)) }
        return found
    }

    /// Goes on to the next row. Outside a transaction nothing is done: SQLite may have undone that by itself.
    func next() throws -> Columns? {
        guard db.isInsideTransaction else { throw StoreError.input("the transaction was undone") }
        let code = sqlite3_step(statement)
        if code == SQLITE_ROW { return Columns(statement) }
        try check(code, SQLITE_DONE)
        return nil
    }

    /// What failed in `next` was thrown there.
    func end() { sqlite3_reset(statement) }

    private func check(_ code: Int32, _ good: Int32) throws {
        if code == good { return }
        throw DatabaseError(resultCode: ResultCode(rawValue: code), message: db.lastErrorMessage)
    }
}
