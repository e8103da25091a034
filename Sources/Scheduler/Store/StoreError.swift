// Everything that can go wrong between schedulerd and its database.

import GRDB

/// Why the store did not do what was asked.
package enum StoreError: Error, Equatable, Sendable {
    /// The file was written by a later version of Bulkhead: using it could destroy what we do not know of.
    case newerDatabase(found: Int, known: Int)
    /// A database, but not ours.
    case foreignDatabase
    /// The file's own checks fail.
    case corrupt(String)
    /// One row holds what we never write; the others are as good as before.
    case damagedRow(DamagedRow)
    /// The state directory belongs to another instance.
    case otherInstance(found: String, wanted: String)
    /// No space left: nothing of the transaction is written.
    case full
    /// The disk or the file system failed: nothing of the transaction can be counted on.
    case input(String)
    /// The state tables refuse this; nothing is written.
    case refused(String)
    /// Any other refusal of SQLite: a mistake of ours.
    case failed(String)

    /// True if the whole transaction is gone, not only the unit of work that met the error: SQLite's own errors. A row
    /// that does not decode must not be one of them, or it would stop everybody's work for ever.
    package var endsTransaction: Bool {
        switch self {
        case .full, .input, .corrupt: true
        default: false
        }
    }
}

extension StoreError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .newerDatabase(let found, let known):
            "the database has schema version \(found), this program knows up to \(known)"
        case .foreignDatabase: "the file is a database of another program"
        case .corrupt(let what): "the database is damaged: \(what)"
        case .damagedRow(let row): "a row of the database cannot be read: \(row.what)"
        case .otherInstance(let found, let wanted): "the database belongs to instance \(found), not \(wanted)"
        case .full: "no space left for the database"
        case .input(let what): "the database cannot be read or written: \(what)"
        case .refused(let what): what
        case .failed(let what): "the database refused: \(what)"
        }
    }
}

extension StoreError {
    /// What somebody has to do before a start can succeed; nil: the next one may.
    package var remedy: String? {
        switch self {
        case .newerDatabase: "start the version that wrote it"
        case .foreignDatabase, .otherInstance: "give this house its own state directory"
        case .corrupt:
            "put a backup in its place as docs/reliability.md says; without one, move it, its -wal and its -shm away, "
                + "and the house begins without jobs"
        default: nil
        }
    }

    /// Any error of a transaction in our own terms.
    init(_ error: any Error) {
        if let known = error as? StoreError {
            self = known
            return
        }
        guard let database = error as? DatabaseError else {
            self = .failed("\(error)")
            return
        }
        let text = database.message ?? "\(database.resultCode)"
        switch database.resultCode {
        case .SQLITE_FULL: self = .full
        case .SQLITE_IOERR, .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_NOMEM, .SQLITE_BUSY, .SQLITE_ABORT:
            self = .input(text)
        case .SQLITE_CORRUPT, .SQLITE_NOTADB: self = .corrupt(text)
        default: self = .failed(text)
        }
    }
}
