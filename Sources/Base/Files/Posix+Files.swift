// Files: opening, reading and writing at a place, publishing (write under no name, then link), and asking what a path
// is.
import CLinux
import Glibc
package import Posix

extension Posix {
    package static func open(
        _ path: String, _ flags: OpenFlags, mode: UInt32 = 0o600
    ) throws(PosixError) -> FileDescriptor {
        try open(at: AT_FDCWD, path, flags, mode: mode)
    }

    /// Opens `path` relative to the directory `directory`.
    package static func open(
        at directory: Int32, _ path: String, _ flags: OpenFlags, mode: UInt32 = 0o600
    ) throws(PosixError) -> FileDescriptor {
        let name = try checked(path)
        let all = flags.rawValue | O_CLOEXEC
        return FileDescriptor(owning: try retry("open \(path)") { unsafe openat(directory, name, all, mode) })
    }

    /// A file that is in no directory, in memory; `name` is for whoever looks into /proc.
    package static func memoryFile(_ name: String) throws(PosixError) -> FileDescriptor {
        let name = try checked(name)
        let raw = unsafe bh_memory_file(name)
        if raw < 0 { throw .system(call: "memfd_create", errno: -raw) }
        return FileDescriptor(owning: raw)
    }

    /// A file without a name in `directory`: it vanishes with its last descriptor unless `linkTemporary` names it.
    package static func openTemporary(_ directory: String, mode: UInt32 = 0o600) throws(PosixError) -> FileDescriptor {
        let name = try checked(directory)
        let flags = bh_o_tmpfile | O_RDWR | O_CLOEXEC
        let raw = try retry("open a temporary file in \(directory)") { unsafe Glibc.open(name, flags, mode) }
        return FileDescriptor(owning: raw)
    }

    /// Gives a file of `openTemporary` its name. EEXIST if the name is taken: the first writer wins.
    package static func linkTemporary(_ raw: Int32, to path: String) throws(PosixError) {
        let name = try checked(path)
        // By way of /proc, since the direct form of the call needs a capability.
        _ = try retry("link \(path)") {
            unsafe linkat(AT_FDCWD, "/proc/self/fd/\(raw)", AT_FDCWD, name, AT_SYMLINK_FOLLOW)
        }
    }

    /// Reads a whole file of at most `limit` bytes.
    package static func readFile(_ path: String, limit: Int) throws(PosixError) -> [UInt8] {
        let file = try open(path, .readOnly)
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while case .bytes(let count) = try read(file.raw, into: &buffer) {
            if content.count + count > limit { throw .tooLarge(limit: limit) }
            content.append(contentsOf: buffer[..<count])
        }
        return content
    }

    /// Makes or replaces `path` with `content` in one step: written beside it, synced, renamed over it.
    package static func replaceFile(_ path: String, with content: [UInt8], mode: UInt32) throws(PosixError) {
        let temporary = "\(path).new"
        let file = try open(temporary, [.writeOnly, .create, .truncate, .noFollow], mode: mode)
        try fchmod(file.raw, mode)
        try writeAll(file.raw, content)
        try fsync(file.raw)
        try rename(temporary, to: path)
    }

    /// Reads up to `maximum` bytes at `position` (a file); an empty array at its end.
    package static func pread(_ raw: Int32, maximum: Int, at position: Int64) throws(PosixError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: maximum)
        let count = try unsafe bytes.withUnsafeMutableBufferPointer { (room) throws(PosixError) in
            try retry("pread") { unsafe Glibc.pread(raw, room.baseAddress, room.count, Int(position)) }
        }
        bytes.removeLast(maximum - count)
        return bytes
    }

    /// Writes everything at `position` of a file.
    package static func pwriteAll(_ raw: Int32, _ bytes: ArraySlice<UInt8>, at position: Int64) throws(PosixError) {
        var written = 0
        try unsafe bytes.withUnsafeBufferPointer { (part) throws(PosixError) in
            while written < part.count {
                let rest = unsafe UnsafeBufferPointer(rebasing: part[written...])
                let place = Int(position) + written
                written += try retry("pwrite") { unsafe Glibc.pwrite(raw, rest.baseAddress, rest.count, place) }
            }
        }
    }

    package static func fsync(_ raw: Int32) throws(PosixError) {
        _ = try retry("fsync") { Glibc.fsync(raw) }
    }

    package static func fdatasync(_ raw: Int32) throws(PosixError) {
        _ = try retry("fdatasync") { Glibc.fdatasync(raw) }
    }

    /// Cuts or lengthens a file to `size` bytes.
    package static func ftruncate(_ raw: Int32, size: Int64) throws(PosixError) {
        _ = try retry("ftruncate") { Glibc.ftruncate(raw, Int(size)) }
    }

    package static func fchmod(_ raw: Int32, _ mode: UInt32) throws(PosixError) {
        _ = try retry("fchmod") { Glibc.fchmod(raw, mode) }
    }

    package static func fstat(_ raw: Int32) throws(PosixError) -> FileStatus {
        var found = stat()
        _ = try retry("fstat") { unsafe Glibc.fstat(raw, &found) }
        return FileStatus(found)
    }

    /// The status of `path` itself, not of what a symbolic link points to.
    package static func lstat(_ path: String) throws(PosixError) -> FileStatus {
        let name = try checked(path)
        var found = stat()
        _ = try retry("stat \(path)") { unsafe Glibc.lstat(name, &found) }
        return FileStatus(found)
    }

    /// Takes an exclusive lock of the open file, held until its last descriptor is closed. False: somebody has it.
    package static func lock(_ raw: Int32) throws(PosixError) -> Bool {
        do {
            _ = try retry("flock") { flock(raw, LOCK_EX | LOCK_NB) }
            return true
        } catch {
            if error.isAgain { return false }
            throw error
        }
    }

    /// The file-creation mask; the old one is returned.
    @discardableResult
    package static func setFileCreationMask(_ mask: UInt32) -> UInt32 {
        umask(mask)
    }
}
