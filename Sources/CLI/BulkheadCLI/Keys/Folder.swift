// Folder: a directory that is held open while files are made in it. It may belong to a daemon that has been taken over:
// what is in it is reached through the descriptor, so that a link put in its place meanwhile leads root nowhere else.

import Files
import Posix

/// One directory and the files directly in it.
package final class Folder {
    /// As a person writes it, for messages.
    let path: String
    private let descriptor: FileDescriptor

    /// Throws if `path` is no directory; a link to one is none.
    package init(_ path: String) throws {
        self.path = path
        do {
            descriptor = try Posix.open(path, [.readOnly, .directory, .noFollow])
        } catch {
            throw CommandFailure("cannot use the directory \(path): \(error)", exit: .failure)
        }
    }

    /// The way to `name` that nobody can turn aside.
    private func place(_ name: String) -> String { "/proc/self/fd/\(descriptor.raw)/\(name)" }

    func owner() throws -> Owner {
        let status = try Posix.fstat(descriptor.raw)
        return Owner(uid: status.uid, gid: status.gid)
    }

    /// nil if there is no such file.
    func status(_ name: String) throws -> FileStatus? {
        do {
            return try Posix.lstat(place(name))
        } catch {
            if error.isMissing { return nil }
            throw error
        }
    }

    func has(_ name: String) throws -> Bool { try status(name) != nil }

    /// The bytes of a file that nobody else could have written, nor read if it is `secret`; nil if there is none.
    package func read(_ name: String, limit: Int, secret: Bool) throws -> [UInt8]? {
        let owners = [Posix.userID, try owner().uid]
        let forbidden: UInt32 = secret ? 0o077 : 0o022
        do {
            // What is looked at is what is read: the open file, and nothing that has its name meanwhile. No pipe holds
            // us up.
            let file = try Posix.open(at: descriptor.raw, name, [.readOnly, .noFollow, .nonBlocking])
            let status = try Posix.fstat(file.raw)
            guard status.kind == .regular, owners.contains(status.uid), status.mode & forbidden == 0 else {
                throw CommandFailure(
                    "\(path)/\(name) could have been written or read by others; nothing in it is to be relied upon",
                    exit: .failure)
            }
            let bytes = try Posix.pread(file.raw, maximum: limit + 1, at: 0)
            if bytes.count > limit { throw PosixError.tooLarge(limit: limit) }
            return bytes
        } catch let error as PosixError {
            if error.isMissing { return nil }
            throw CommandFailure("cannot read \(path)/\(name): \(error)", exit: .failure)
        }
    }

    /// Makes a file that was not there, whole or not at all, and on the disk when this returns.
    func create(_ name: String, _ content: [UInt8], mode: UInt32, owner: Owner? = nil) throws {
        do {
            let file = try Posix.openTemporary(place("."), mode: mode)
            try Posix.fchmod(file.raw, mode)
            if let owner { try Host.giveAway(file.raw, to: owner) }
            try Posix.writeAll(file.raw, content)
            try Posix.fsync(file.raw)
            try Posix.linkTemporary(file.raw, to: place(name))
            try Posix.fsync(descriptor.raw)
        } catch {
            throw CommandFailure("cannot make \(path)/\(name): \(error)", exit: .failure)
        }
    }

    /// Puts `name` in the place of `target`.
    func rename(_ name: String, to target: String) throws {
        do {
            try Posix.rename(place(name), to: place(target))
            try Posix.fsync(descriptor.raw)
        } catch {
            throw CommandFailure("cannot rename \(path)/\(name) to \(target): \(error)", exit: .failure)
        }
    }

    /// Succeeds if there is none.
    func remove(_ name: String) throws {
        do {
            try Posix.unlink(place(name))
        } catch {
            if error.isMissing { return }
            throw CommandFailure("cannot remove \(path)/\(name): \(error)", exit: .failure)
        }
    }
}
