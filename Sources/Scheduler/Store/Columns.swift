// A row is read where it lies.

import CSQLite
import GRDB

/// The row at which a query stands, until it goes on: its columns, from the left, in the order in which the statement
/// names them.
struct Columns {
    private let statement: SQLiteStatement
    private var index: Int32 = 0

    init(_ statement: SQLiteStatement) { self.statement = statement }

    /// What may be NULL.
    mutating func next<T: Readable>() -> T? {
        defer { index += 1 }
        return sqlite3_column_type(statement, index) == SQLITE_NULL ? nil : T(statement, index)
    }

    /// What is never NULL, says the table.
    mutating func next<T: Readable>() -> T {
        defer { index += 1 }
        return T(statement, index)
    }
}

/// What a column can be read as.
protocol Readable {
    init(_ statement: SQLiteStatement, _ column: Int32)
}

extension Int64: Readable {
    init(_ statement: SQLiteStatement, _ column: Int32) { self = sqlite3_column_int64(statement, column) }
}

extension String: Readable {
    init(_ statement: SQLiteStatement, _ column: Int32) {
        self = sqlite3_column_text(statement, column).map { String(cString: $0) } ?? ""
    }
}

extension [UInt8]: Readable {
    init(_ statement: SQLiteStatement, _ column: Int32) {
        let bytes = sqlite3_column_blob(statement, column)
        self = Array(UnsafeRawBufferPointer(start: bytes, count: Int(sqlite3_column_bytes(statement, column))))
    }
}
