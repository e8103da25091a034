// Unpacks an archive's members below one directory. Every name is opened from the directory above it and no symbolic
// link is followed on the way, so that a link which the archive made (or a process swapped in) leads nowhere. Used by
// SourceReceiver.

import Glibc
package import Posix
package import Tar

/// A TarSink on disk. Blocking: a tmpfs does not wait.
package final class DirectorySink: TarSink {
    private let root: FileDescriptor
    /// The directories from the root down to the last member's, open: archives list a directory's members together.
    private var way: [(name: [UInt8], fd: Int32)] = []
    private var file: (fd: Int32, modified: Int64)?

    /// - Parameter root: an open directory; members are made below it.
    package init(root: consuming FileDescriptor) {
        self.root = root
    }

    deinit {
        if let file { close(file.fd) }
        for step in way { close(step.fd) }
    }

    package func directory(_ path: TarPath) throws(TarProblem) {
        _ = try directory(at: path.components[...])
    }

    package func beginFile(_ file: TarFile) throws(TarProblem) {
        let (parent, name) = try parent(of: file.path)
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        var fd = openat(parent, name, flags, 0o600)
        if fd < 0 && errno == EEXIST {
            try remove(name, in: parent)
            fd = openat(parent, name, flags, 0o600)
        }
        guard fd >= 0 else { throw DirectorySink.problem("openat") }
        self.file = (fd, file.modified)
        guard fchmod(fd, file.isExecutable ? 0o755 : 0o644) == 0 else { throw DirectorySink.problem("fchmod") }
    }

    package func write(_ bytes: ArraySlice<UInt8>) throws(TarProblem) {
        guard let file else { return }
        var rest = bytes
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file.fd, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw DirectorySink.problem("write") }
            rest = rest.dropFirst(count)
        }
    }

    package func endFile() throws(TarProblem) {
        guard let file else { return }
        self.file = nil
        let time = timespec(tv_sec: Int(clamping: file.modified), tv_nsec: 0)
        // A file system that cannot hold this time is no reason to fail a job.
        _ = futimens(file.fd, [time, time])
        guard close(file.fd) == 0 else { throw DirectorySink.problem("close") }
    }

    package func symbolicLink(_ path: TarPath, target: [UInt8]) throws(TarProblem) {
        let (parent, name) = try parent(of: path)
        let text = DirectorySink.terminated(target)
        if symlinkat(text, parent, name) == 0 { return }
        guard errno == EEXIST else { throw DirectorySink.problem("symlinkat") }
        try remove(name, in: parent)
        guard symlinkat(text, parent, name) == 0 else { throw DirectorySink.problem("symlinkat") }
    }

    package func hardLink(_ path: TarPath, to existing: TarPath) throws(TarProblem) {
        guard let last = existing.components.last else { throw .linkToNonFile }
        let source = try existingDirectory(existing.components.dropLast())
        let sourceName = DirectorySink.terminated(last)
        var status = stat()
        guard fstatat(source.raw, sourceName, &status, AT_SYMLINK_NOFOLLOW) == 0 else { throw .linkTargetMissing }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .linkToNonFile }
        guard path != existing else { throw .linkTargetMissing }
        let (parent, name) = try parent(of: path)
        if linkat(source.raw, sourceName, parent, name, 0) == 0 { return }
        guard errno == EEXIST else { throw DirectorySink.problem("linkat") }
        try remove(name, in: parent)
        guard linkat(source.raw, sourceName, parent, name, 0) == 0 else { throw DirectorySink.problem("linkat") }
    }

    // MARK: - The way down

    private func parent(of path: TarPath) throws(TarProblem) -> (Int32, [CChar]) {
        guard let last = path.components.last else { throw .badPath }
        return (try directory(at: path.components.dropLast()), DirectorySink.terminated(last))
    }

    /// The directory at a path, made if it is not there. The descriptor stays this object's.
    private func directory(at path: ArraySlice<[UInt8]>) throws(TarProblem) -> Int32 {
        let shared = zip(way, path).prefix { $0.name == $1 }.count
        while way.count > shared { close(way.removeLast().fd) }
        for name in path.dropFirst(shared) {
            let above = way.last?.fd ?? root.raw
            let text = DirectorySink.terminated(name)
            if mkdirat(above, text, 0o755) < 0 && errno != EEXIST { throw DirectorySink.problem("mkdirat") }
            way.append((name, try DirectorySink.open(text, in: above)))
        }
        return way.last?.fd ?? root.raw
    }

    /// A directory that must be there already.
    private func existingDirectory(_ path: ArraySlice<[UInt8]>) throws(TarProblem) -> FileDescriptor {
        var directory = FileDescriptor(owning: try DirectorySink.open(DirectorySink.terminated([46]), in: root.raw))
        for name in path {
            let below: Int32
            do {
                below = try DirectorySink.open(DirectorySink.terminated(name), in: directory.raw)
            } catch .system(_, ENOENT) {
                throw .linkTargetMissing
            }
            directory = FileDescriptor(owning: below)
        }
        return directory
    }

    private static func open(_ name: [CChar], in directory: Int32) throws(TarProblem) -> Int32 {
        let fd = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        if fd >= 0 { return fd }
        guard errno == ENOTDIR || errno == ELOOP else { throw problem("openat") }
        var status = stat()
        guard fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { throw problem("fstatat") }
        throw status.st_mode & S_IFMT == S_IFLNK ? .pathThroughLink : .notADirectory
    }

    /// A later member replaces an earlier one of its name, never what a link of that name points to.
    private func remove(_ name: [CChar], in directory: Int32) throws(TarProblem) {
        if unlinkat(directory, name, 0) == 0 { return }
        if errno == EISDIR || errno == EPERM { throw .directoryInTheWay }
        throw DirectorySink.problem("unlinkat")
    }

    private static func terminated(_ name: [UInt8]) -> [CChar] {
        name.map { CChar(bitPattern: $0) } + [0]
    }

    /// The problem that errno tells of; called right after the call that failed.
    private static func problem(_ call: String) -> TarProblem {
        errno == ENOSPC || errno == EDQUOT ? .noSpace : .system(call: call, errno: errno)
    }
}
