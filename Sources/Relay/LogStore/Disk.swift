// How the store writes at a position of a file and forces it to the medium: one seam, so that a test can have a disk
// that is full or a process that dies in the middle of a write.

import Files
import Posix

package struct Disk: Sendable {
    /// Writes all of the bytes at a position; what is there after an error is not defined.
    package var write: @Sendable (Int32, ArraySlice<UInt8>, Int64) throws(StoreError) -> Void

    /// Forces a file's bytes and size to the medium: it is there after a power failure, too.
    package var sync: @Sendable (Int32) throws(StoreError) -> Void

    package init(
        write: @escaping @Sendable (Int32, ArraySlice<UInt8>, Int64) throws(StoreError) -> Void,
        sync: @escaping @Sendable (Int32) throws(StoreError) -> Void = Disk.realSync
    ) {
        self.write = write
        self.sync = sync
    }

    package static let realSync: @Sendable (Int32) throws(StoreError) -> Void = { (raw) throws(StoreError) in
        try stored { () throws(PosixError) in try Posix.fdatasync(raw) }
    }

    package static let real = Disk { (raw, bytes, position) throws(StoreError) in
        try stored { () throws(PosixError) in try Posix.pwriteAll(raw, bytes, at: position) }
    }

    func writeAll(_ raw: Int32, _ bytes: [UInt8], at position: UInt64) throws(StoreError) {
        try write(raw, bytes[...], Int64(position))
    }

    /// Forces the names in a directory to the medium.
    func syncDirectory(_ path: String) throws(StoreError) {
        let directory = try stored { () throws(PosixError) in try Posix.open(path, [.readOnly, .directory]) }
        try sync(directory.raw)
    }

    /// Makes or replaces a journal in one step: whoever finds it finds at least its opening entry. `isFinal`: after a
    /// power failure, too.
    func replaceJournal(
        _ path: String, with entries: [JournalEntry], isFinal: Bool = false
    ) throws(StoreError) -> FileDescriptor {
        var bytes: [UInt8] = []
        for entry in entries { entry.write(to: &bytes) }
        let file = try stored { () throws(PosixError) in
            try Posix.open(path + ".new", [.writeOnly, .create, .truncate, .noFollow])
        }
        try writeAll(file.raw, bytes, at: 0)
        if isFinal { try sync(file.raw) }
        try stored { () throws(PosixError) in try Posix.rename(path + ".new", to: path) }
        return file
    }
}
