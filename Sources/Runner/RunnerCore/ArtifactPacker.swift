// Packs what one artifact rule names into a tar, piece by piece. Used by Runner+Artifacts, as the user of the steps.
//
// The steps have left the tree, and it may be full of traps. Every name is opened from the directory above it, and no
// symbolic link is followed; a file is looked at again when it is open. Nothing but directories, files and links that
// stay inside gets into the archive, and of a mode only whether it can be executed.

import Files
import Glibc
package import Posix
package import Tar
package import Wire

package final class ArtifactPacker {
    /// A directory on the way down.
    private struct Level {
        let names: DirectoryNames
        /// From the source directory, with a slash behind; empty for itself.
        let path: [UInt8]
        let selection: ArtifactSelection
    }

    private struct OpenFile {
        let file: FileDescriptorBox
        let path: [UInt8]
        let size: UInt64
        var done: UInt64 = 0
        var isShort = false
    }

    /// What is read of a file at once.
    private static let slice = 32 << 10
    /// Names that are looked at before others have their turn.
    private static let stepsAtOnce = 64

    private var levels: [Level]
    private var file: OpenFile?
    private var writer = TarWriter()
    /// Bytes of the archive that are in no piece yet.
    private var pending: [UInt8] = []
    private var isFinished = false
    private let limits: TarLimits
    /// Files, links and directories in the archive. Without any, it has no byte.
    package private(set) var files: UInt32 = 0
    package private(set) var problem = ArtifactProblem()

    /// - Parameter source: the source directory, freshly opened.
    package init(_ rule: ArtifactRule, source: consuming FileDescriptor, limits: TarLimits = TarLimits()) {
        let selection = ArtifactSelection(rule)
        self.limits = limits
        levels = [Level(names: DirectoryNames(source), path: [], selection: selection)]
        for pattern in selection.refused { problem.add(Array(pattern.utf8), "leads out of the source directory") }
    }

    /// Works for a moment. The next piece of at most `most` bytes; empty: there is none yet; nil: that was all.
    package func next(most: Int) -> [UInt8]? {
        var steps = Self.stepsAtOnce
        while pending.count < most, !isFinished, steps > 0 {
            step()
            steps -= 1
            pending += writer.takeAll()
        }
        guard isFinished || pending.count >= most else { return [] }
        if pending.isEmpty { return nil }
        let piece = Array(pending.prefix(most))
        pending.removeFirst(piece.count)
        return piece
    }

    private func step() {
        if file != nil { return readSome() }
        guard let level = levels.last else {
            if files > 0 { writer.finish() }
            isFinished = true
            return
        }
        do throws(PosixError) {
            if let name = try level.names.next() { return visit(name, in: level) }
        } catch {
            problem.add(level.path.isEmpty ? [UInt8(ascii: ".")] : level.path, "cannot be read: \(error)")
        }
        levels.removeLast()
    }

    private func visit(_ name: [UInt8], in level: Level) {
        let (isSelected, below) = level.selection.entering(name)
        guard isSelected || below != nil else { return }
        let bytes = level.path + name
        do throws(TarProblem) {
            let path = try TarPath(bytes)
            let text = name.map { CChar(bitPattern: $0) } + [0]
            var status = stat()
            guard fstatat(level.names.raw, text, &status, AT_SYMLINK_NOFOLLOW) == 0 else { throw Self.failed("stat") }
            switch status.st_mode & S_IFMT {
            case S_IFDIR:
                // In the archive even if it cannot be read.
                if isSelected, admit() { writer.directory(path) }
                if let below { try descend(text, bytes, below, in: level) }
            case _ where !isSelected: break
            case S_IFREG: try begin(text, path, in: level)
            case S_IFLNK: try link(text, path, in: level)
            default: throw .device
            }
        } catch {
            problem.add(bytes, "is left out: \(error.text)")
        }
    }

    /// One more member. What takes archives takes no more of them.
    private func admit() -> Bool {
        guard files < limits.entries else {
            problem.add(Array("*".utf8), "is left out: \(TarProblem.tooManyEntries(limit: limits.entries).text)")
            levels = []
            return false
        }
        files += 1
        return true
    }

    private func descend(
        _ name: [CChar], _ path: [UInt8], _ selection: ArtifactSelection, in level: Level
    ) throws(TarProblem) {
        guard !levels.isEmpty else { return }
        let fd = openat(level.names.raw, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard fd >= 0 else { throw Self.failed("open") }
        let names = DirectoryNames(FileDescriptor(owning: fd))
        levels.append(Level(names: names, path: path + [UInt8(ascii: "/")], selection: selection))
    }

    private func begin(_ name: [CChar], _ path: TarPath, in level: Level) throws(TarProblem) {
        // Not blocking: what is a FIFO by now has nobody at its other end.
        let fd = openat(level.names.raw, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
        guard fd >= 0 else { throw Self.failed("open") }
        let opened = FileDescriptorBox(FileDescriptor(owning: fd))
        var status = stat()
        guard fstat(fd, &status) == 0 else { throw Self.failed("stat") }
        guard status.st_mode & S_IFMT == S_IFREG, status.st_size >= 0 else { throw .device }
        guard admit() else { return }
        let size = UInt64(status.st_size)
        writer.beginFile(
            TarFile(
                path: path, size: size, isExecutable: status.st_mode & 0o111 != 0,
                modified: Int64(status.st_mtim.tv_sec)))
        file = OpenFile(file: opened, path: path.bytes, size: size)
    }

    private func link(_ name: [CChar], _ path: TarPath, in level: Level) throws(TarProblem) {
        var target = [UInt8](repeating: 0, count: TarPath.longestPath + 1)
        let count = readlinkat(level.names.raw, name, &target, target.count)
        guard count >= 0 else { throw Self.failed("readlink") }
        target.removeLast(target.count - count)
        guard path.admitsTarget(target) else { throw .linkLeaves }
        if admit() { writer.symbolicLink(path, target: target) }
    }

    /// Exactly as many bytes as the header says: one that has grown since is cut, one that has shrunk is filled up.
    private func readSome() {
        guard var open = file else { return }
        let want = Int(min(UInt64(Self.slice), open.size - open.done))
        var bytes: [UInt8] = []
        do throws(PosixError) {
            if want > 0 { bytes = try Posix.pread(open.file.raw, maximum: want, at: Int64(open.done)) }
            if bytes.isEmpty && want > 0 { fill("shrank while it was read") }
        } catch {
            fill("cannot be read: \(error)")
        }
        func fill(_ why: String) {
            bytes = [UInt8](repeating: 0, count: want)
            if !open.isShort { problem.add(open.path, why + ", and ends in zeros") }
            open.isShort = true
        }
        writer.write(bytes[...])
        open.done += UInt64(bytes.count)
        file = open.done < open.size ? open : nil
        if file == nil { writer.endFile() }
    }

    /// Called right after the call that failed.
    private static func failed(_ call: String) -> TarProblem { .system(call: call, errno: errno) }
}
