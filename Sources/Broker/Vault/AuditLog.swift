// The audit log: written and on disk before anything is released, so that no release is without its record. A chain of
// hashes: who changes a line changes every line behind it.

import Files
import Posix

/// The only writer of its file, which it locks. A record that cannot be written leaves no trace.
package final class AuditLog {
    private static let chunk = 65_536
    private static let lineLimit = 16_384

    private let file: FileDescriptor
    private let points: Points
    /// Where the next record begins, in bytes.
    private var end: Int64 = 0
    /// Bytes behind `end` may be left of a record that failed.
    private var isTorn = false
    package private(set) var head = AuditHead.none

    /// Opens `DIRECTORY/audit.log` and verifies all of it; `body` sees each record. A last line without its end was
    /// torn by a crash before anything was released, and is cut. Anything else that is wrong is `damaged`, with its
    /// line.
    package init(
        _ directory: String, points: @escaping Points = { _ in }, _ body: (AuditRecord) throws(VaultError) -> Void
    ) throws(VaultError) {
        self.points = points
        file = try VaultError.posix { () throws(PosixError) in
            try Posix.open("\(directory)/audit.log", [.readWrite, .create, .noFollow], mode: 0o600)
        }
        let raw = file.raw
        guard try VaultError.posix({ () throws(PosixError) in try Posix.lock(raw) }) else {
            throw .unusable("another broker has the audit log of \(directory) open")
        }
        isTorn = try Self.read(raw) { (line) throws(VaultError) in
            guard let record = AuditRecord(line, after: head) else {
                throw .damaged("line \(head.sequence + 1) of the audit log does not follow from the line before")
            }
            head = record.head
            end += Int64(line.count) + 1
            try body(record)
        }
        try VaultError.posix { () throws(PosixError) in try mend() }
    }

    /// Verifies a log that nobody may have open, without changing it; how many records it has.
    package static func verify(_ path: String) throws(VaultError) -> UInt64 {
        let file = try VaultError.posix { () throws(PosixError) in try Posix.open(path, [.readOnly, .noFollow]) }
        var head = AuditHead.none
        let isTorn = try read(file.raw) { (line) throws(VaultError) in
            guard let record = AuditRecord(line, after: head) else {
                throw .damaged("line \(head.sequence + 1) does not follow from the line before")
            }
            head = record.head
        }
        if isTorn { throw .damaged("the last line has no end") }
        return head.sequence
    }

    /// Adds a record. When it returns, the record is on disk; when it throws, the log is as it was.
    package func append(
        _ event: AuditEvent, _ fields: [(String, String)], at time: Int64
    ) throws(VaultError) {
        let (line, next) = AuditRecord.line(event, fields, at: time, after: head)
        do {
            try mend()
            isTorn = true
            try Posix.pwriteAll(file.raw, line[...], at: end)
            try Posix.fdatasync(file.raw)
        } catch {
            // Best effort: if not even this works, the next record tries again before it writes.
            try? mend()
            throw .audit(error)
        }
        isTorn = false
        end += Int64(line.count)
        head = next
    }

    /// Cuts what is left of a record that was not finished.
    private func mend() throws(PosixError) {
        if !isTorn { return }
        try Posix.ftruncate(file.raw, size: end)
        try Posix.fdatasync(file.raw)
        isTorn = false
    }

    /// Hands out the lines without their ends. True: behind the last end there are more bytes.
    private static func read(
        _ raw: Int32, _ body: (ArraySlice<UInt8>) throws(VaultError) -> Void
    ) throws(VaultError) -> Bool {
        var rest: [UInt8] = []
        var position: Int64 = 0
        while true {
            let place = position
            let bytes = try VaultError.posix { () throws(PosixError) in
                try Posix.pread(raw, maximum: chunk, at: place)
            }
            if bytes.isEmpty { return !rest.isEmpty }
            position += Int64(bytes.count)
            rest += bytes
            var start = 0
            while let newline = rest[start...].firstIndex(of: UInt8(ascii: "\n")) {
                try body(rest[start..<newline])
                start = newline + 1
            }
            rest.removeFirst(start)
            if rest.count > lineLimit { throw .damaged("a line of the audit log is longer than any record") }
        }
    }
}
