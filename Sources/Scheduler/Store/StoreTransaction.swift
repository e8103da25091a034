// What a unit of work can do inside a transaction. One value lives as long as its transaction.

import Foundation
import GRDB
import JobModel
package import Wire

/// A job took a state; told to those who watch it once the transaction is durable.
package struct JobChange: Equatable, Sendable {
    package let job: UInt64
    package let state: Wire.JobState
    package let reason: String
}

/// What an event did to a row.
package enum Advance<State: Equatable & Sendable>: Equatable, Sendable {
    case moved(State)
    case stayed
    case ignored

    package var moved: Bool { if case .moved = self { true } else { false } }
}

/// An open transaction.
package final class StoreTransaction {
    let db: Database

    /// Changes of job states since the last `takeChanges`.
    var changes: [JobChange] = []

    private let changesBefore: Int

    init(_ db: Database) {
        self.db = db
        changesBefore = db.totalChangesCount
    }

    /// Rows that were written so far, those of triggers included.
    package var written: Int { db.totalChangesCount - changesBefore }
    /// There is something to commit.
    package var hasWritten: Bool { written != 0 }

    /// Does `body` alone: if it throws, only what it did is undone, unless the error ends the whole transaction.
    package func savepoint(_ body: () throws -> Void) throws {
        let before = changes.count
        do {
            try db.inSavepoint {
                try body()
                return .commit
            }
        } catch {
            changes.removeSubrange(before...)
            throw error is DatabaseError ? StoreError(error) : error
        }
    }

    /// The changes so far, in order; the list begins anew.
    package func takeChanges() -> [JobChange] {
        defer { changes = [] }
        return changes
    }

    func run(_ sql: String, _ arguments: StatementArguments = []) throws {
        try db.cachedStatement(sql: sql).execute(arguments: arguments)
    }

    func one(_ sql: String, _ arguments: StatementArguments = []) throws -> Row? {
        try Row.fetchOne(try db.cachedStatement(sql: sql), arguments: arguments)
    }

    func all(_ sql: String, _ arguments: StatementArguments = []) throws -> [Row] {
        try Row.fetchAll(try db.cachedStatement(sql: sql), arguments: arguments)
    }

    func count(_ sql: String, _ arguments: StatementArguments = []) throws -> Int {
        try Int.fetchOne(try db.cachedStatement(sql: sql), arguments: arguments) ?? 0
    }

    /// An identifier from a peer as a key. Above 2^63 nothing exists, and clamping finds exactly that.
    static func key(_ id: UInt64) -> Int64 { Int64(clamping: id) }

    static func blob(_ bytes: [UInt8]) -> Data { Data(bytes) }

    /// A stored class of trust. One that is none must not be taken for another.
    static func trust(_ number: Int64, of subject: DamagedRow.Subject) throws -> Trust {
        if let trust = UInt8(exactly: number).flatMap({ Trust(rawValue: $0) }) { return trust }
        throw StoreError.damagedRow(DamagedRow(subject, "trust \(number) of \(subject)"))
    }

    /// A stored message; one that does not decode was not written by us, and damages its `subject`.
    static func message<M: WireMessage>(_ type: M.Type, _ data: Data, of subject: DamagedRow.Subject?) throws -> M {
        do {
            return try M.decoded([UInt8](data))
        } catch {
            let owner = subject.map { " of \($0)" } ?? ""
            throw StoreError.damagedRow(DamagedRow(subject, "a stored \(type)\(owner): \(error)"))
        }
    }
}
