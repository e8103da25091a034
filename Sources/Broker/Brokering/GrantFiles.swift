// The directories that runners see at /run/bulkhead, on a tmpfs that only brokerd may enter. spawnerd mounts them
// read-only by name.

import Files
package import Posix
package import Secret
package import Vault
package import Wire

/// Makes, fills and wipes the directories below `root`, an absolute path.
package struct GrantFiles {
    private static let key = "key"
    private static let grant = "grant"

    private let root: String
    private let points: Points

    package init(_ root: String, points: @escaping Points = { _ in }) {
        self.root = root
        self.points = points
    }

    package func exists(_ grant: Bytes16) throws(PosixError) -> Bool {
        do {
            return try Posix.lstat(path(grant)).kind == .directory
        } catch {
            if error.isMissing { return false }
            throw error
        }
    }

    /// A directory with the runner's key in it.
    package func make(_ grant: Bytes16, key: borrowing Secret) throws(VaultError) {
        try VaultError.posix { () throws(PosixError) in
            try Posix.mkdir(path(grant), mode: 0o755)
            try Posix.chmod(path(grant), 0o755)  // whatever the umask
        }
        let file: FileDescriptor
        do {
            file = try create("\(path(grant))/\(Self.key)")
        } catch {
            // It is empty. To look into it takes a descriptor, and that may be what is missing.
            try? Posix.rmdir(path(grant))
            throw error
        }
        let raw = file.raw
        try VaultError.secret { () throws(SecretError) in try key.write(to: raw) }
        try VaultError.posix { () throws(PosixError) in try Posix.fchmod(raw, 0o444) }
    }

    /// Puts the sealed grant where the runner looks for it, whole or not at all. The runner has taken its key long ago:
    /// what is left of that must not lie beside what it opens.
    package func put(_ grant: Bytes16, _ sealed: [UInt8]) throws(VaultError) {
        let target = "\(path(grant))/\(Self.grant)"
        if try VaultError.posix({ () throws(PosixError) in try Posix.directoryEntries(path(grant)) }).contains(Self.key)
        {
            try VaultError.posix { () throws(PosixError) in try wipe("\(path(grant))/\(Self.key)") }
        }
        do {
            let file = try create("\(target).new")
            try VaultError.posix { () throws(PosixError) in
                try Posix.writeAll(file.raw, sealed[...])
                try Posix.fchmod(file.raw, 0o444)
                points(.grantTemporary)
                try Posix.rename("\(target).new", to: target)
            }
        } catch {
            // Nothing half written stays; what cannot be removed here goes at Wipe, at Discard or at the next start.
            try? wipe("\(target).new")
            throw error
        }
        points(.grantRenamed)
    }

    /// Overwrites and removes every file of the directory, which stays. False: there is no directory.
    @discardableResult
    package func wipe(_ grant: Bytes16) throws(PosixError) -> Bool {
        guard try exists(grant) else { return false }
        for name in try Posix.directoryEntries(path(grant)) { try wipe("\(path(grant))/\(name)") }
        return true
    }

    /// Wipes, and removes the directory. False: there was none.
    package func discard(_ grant: Bytes16) throws(PosixError) -> Bool {
        guard try wipe(grant) else { return false }
        try Posix.rmdir(path(grant))
        return true
    }

    /// The grants that have a directory.
    package func all() throws(PosixError) -> [Bytes16] {
        try Posix.directoryEntries(root).compactMap { Bytes16(hex: $0) }
    }

    /// At the start: nothing that a broker before us wrote is good for anything. How many files there were.
    package func wipeAll() throws(PosixError) -> Int {
        var count = 0
        for name in try Posix.directoryEntries(root) {
            let place = "\(root)/\(name)"
            if try Posix.lstat(place).kind == .directory {
                for file in try Posix.directoryEntries(place) {
                    try wipe("\(place)/\(file)")
                    count += 1
                }
            } else {
                try wipe(place)
                count += 1
            }
        }
        return count
    }

    /// A file without a name that holds `content`, open for reading only. It is gone when its last descriptor is.
    package func anonymous(_ content: borrowing Secret) throws(VaultError) -> FileDescriptor {
        let name = try VaultError.posix { () throws(PosixError) in Hex.encode(try Posix.randomBytes(16)) }
        let place = "\(root)/.masks-\(name)"
        let file = try create(place)
        let raw = file.raw
        // Its name is gone before anything is in it, so that no crash leaves a value that somebody could find.
        let reader = try VaultError.posix { () throws(PosixError) in
            let reader = try Posix.open(place, [.readOnly, .noFollow])
            try Posix.unlink(place)
            try Posix.fchmod(raw, 0o400)
            return reader
        }
        try VaultError.secret { () throws(SecretError) in try content.write(to: raw) }
        points(.masks)
        return reader
    }

    private func path(_ grant: Bytes16) -> String { "\(root)/\(grant.hex)" }

    private func create(_ path: String) throws(VaultError) -> FileDescriptor {
        try VaultError.posix { () throws(PosixError) in
            try Posix.open(path, [.writeOnly, .create, .truncate, .noFollow], mode: 0o600)
        }
    }

    /// Overwrites in place, empties, removes, and asks whether it is gone: a runner that has the file open reads zeros,
    /// then nothing.
    private func wipe(_ path: String) throws(PosixError) {
        try Posix.chmod(path, 0o600)
        points(.midWipe)
        let file = try Posix.open(path, [.writeOnly, .noFollow])
        let size = try Posix.fstat(file.raw).size
        try Posix.pwriteAll(file.raw, [UInt8](repeating: 0, count: Int(size))[...], at: 0)
        points(.midWipe)
        try Posix.ftruncate(file.raw, size: 0)
        try Posix.unlink(path)
        do {
            _ = try Posix.lstat(path)
        } catch {
            if error.isMissing { return }
            throw error
        }
        throw .stillThere("\(path) is still there after unlink")
    }
}
