// Names in directories. The `at` forms take a directory's descriptor, so that nobody can swap a parent for a link
// meanwhile.
import CLinux
import Glibc
package import Posix

extension Posix {
    /// The descriptor that stands for the working directory in the `at` forms.
    package static let workingDirectory: Int32 = AT_FDCWD

    /// Makes a directory. With `existing` true, one that is there already is fine (a link or a file is not).
    package static func mkdir(
        _ path: String, mode: UInt32, at directory: Int32 = AT_FDCWD, existing: Bool = false
    ) throws(PosixError) {
        let name = try checked(path)
        do {
            _ = try retry("mkdir \(path)") { unsafe mkdirat(directory, name, mode) }
        } catch {
            guard existing, error.isTaken else { throw error }
            // Opened rather than asked for: a link in its place must not pass.
            _ = try open(at: directory, path, [.directory, .noFollow, .path])
        }
    }

    package static func unlink(_ path: String, at directory: Int32 = AT_FDCWD) throws(PosixError) {
        let name = try checked(path)
        _ = try retry("unlink \(path)") { unsafe unlinkat(directory, name, 0) }
    }

    package static func rmdir(_ path: String, at directory: Int32 = AT_FDCWD) throws(PosixError) {
        let name = try checked(path)
        _ = try retry("rmdir \(path)") { unsafe unlinkat(directory, name, AT_REMOVEDIR) }
    }

    /// Replaces `target` if it is there.
    package static func rename(_ path: String, to target: String) throws(PosixError) {
        let (from, to) = (try checked(path), try checked(target))
        _ = try retry("rename \(path)") { unsafe Glibc.rename(from, to) }
    }

    /// Makes `path` a symbolic link that says `content`.
    package static func symlink(
        _ content: String, _ path: String, at directory: Int32 = AT_FDCWD
    ) throws(PosixError) {
        let (text, name) = (try checked(content), try checked(path))
        _ = try retry("symlink \(path)") { unsafe symlinkat(text, directory, name) }
    }

    /// Makes `path` another name of `existing`; links are not followed.
    package static func link(
        _ existing: String, at source: Int32 = AT_FDCWD, to path: String, at directory: Int32 = AT_FDCWD
    ) throws(PosixError) {
        let (old, new) = (try checked(existing), try checked(path))
        _ = try retry("link \(path)") { unsafe linkat(source, old, directory, new, 0) }
    }

    package static func chmod(_ path: String, _ mode: UInt32) throws(PosixError) {
        let name = try checked(path)
        _ = try retry("chmod \(path)") { unsafe Glibc.chmod(name, mode) }
    }

    /// Gives `path` itself (not what a link points to) to a user and a group.
    package static func chown(_ path: String, uid: UInt32, gid: UInt32) throws(PosixError) {
        let name = try checked(path)
        _ = try retry("chown \(path)") { unsafe Glibc.lchown(name, uid, gid) }
    }

    /// The names in a directory, sorted, without `.` and `..`. Names that are not UTF-8 are left out: we never make
    /// one.
    package static func directoryEntries(_ path: String) throws(PosixError) -> [String] {
        let name = try checked(path)
        guard let stream = unsafe opendir(name) else { throw .system(call: "opendir \(path)", errno: errno) }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = unsafe readdir(stream) else { break }
            let length = Int(unsafe strlen(nameOf(entry)))
            let bytes = unsafe UnsafeRawBufferPointer(start: nameOf(entry), count: length)
            if let text = unsafe String(validating: bytes, as: UTF8.self), text != ".", text != ".." {
                names.append(text)
            }
        }
        if errno != 0 { throw .system(call: "readdir \(path)", errno: errno) }
        return names.sorted()
    }

    /// The same of an open directory, wherever it lies by now; at most `limit` of them, in no order.
    package static func directoryEntries(of directory: Int32, limit: Int) throws(PosixError) -> [String] {
        // Opened anew: the place in it is ours, and at its beginning.
        let own = try open(at: directory, ".", [.readOnly, .directory])
        var names: [String] = []
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while names.count < limit {
            let filled = unsafe bh_directory_entries(own.raw, &buffer, buffer.count)
            var rest = buffer[..<Int(try PosixError.check(filled, "getdents64"))]
            if rest.isEmpty { break }
            // Entries of {inode u64, offset u64, length u16, kind u8, name with a NUL}, in the machine's byte order.
            while rest.count > 19, names.count < limit {
                let length = unsafe rest.withUnsafeBytes {
                    unsafe $0.loadUnaligned(fromByteOffset: 16, as: UInt16.self)
                }
                let name = rest.prefix(Int(length)).dropFirst(19).prefix { $0 != 0 }
                if let text = String(validating: name, as: UTF8.self), text != ".", text != ".." { names.append(text) }
                rest = rest.dropFirst(max(Int(length), 1))
            }
        }
        return names
    }

    private static func nameOf(_ entry: UnsafeMutablePointer<dirent>) -> UnsafePointer<CChar> {
        let offset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 0
        return unsafe UnsafePointer(
            UnsafeRawPointer(entry).advanced(by: offset).assumingMemoryBound(to: CChar.self))
    }
}
