// SourceScan: reads a tar archive in a file for what lies where in it.

import Files
import Posix
import Tar

struct SourceScan {
    /// Puts what it is given into a tree.
    private struct Sink: TarSink {
        let tree: ArchiveTree
        /// Where the piece at hand begins in the archive.
        var base: UInt64 = 0
        /// Files that have more than one name.
        var linked: Set<Int> = []
        private var file: (path: TarPath, content: SourceFile, isPlaced: Bool)?
        private var files = 0

        init(_ tree: ArchiveTree) { self.tree = tree }

        mutating func directory(_ path: TarPath) throws(TarProblem) { try tree.put(path, .directory) }

        mutating func beginFile(_ file: TarFile) {
            files += 1
            let content = SourceFile(
                id: files, place: 0, size: file.size, isExecutable: file.isExecutable, modified: file.modified)
            self.file = (file.path, content, false)
        }

        mutating func write(_ bytes: ArraySlice<UInt8>) {
            guard file?.isPlaced == false, !bytes.isEmpty else { return }
            file?.content.place = base + UInt64(bytes.startIndex)
            file?.isPlaced = true
        }

        mutating func endFile() throws(TarProblem) {
            guard let file else { return }
            try tree.put(file.path, .file(file.content))
        }

        mutating func symbolicLink(_ path: TarPath, target: [UInt8]) throws(TarProblem) {
            try tree.put(path, .link(target))
        }

        mutating func hardLink(_ path: TarPath, to existing: TarPath) throws(TarProblem) {
            let file = try tree.file(existing)
            linked.insert(file.id)
            try tree.put(path, .file(file))
        }
    }

    private let raw: Int32
    private let limits: ArchiveLimits
    private var reader: TarReader<Sink>
    private var place: UInt64 = 0

    /// Files that have more than one name.
    var linked: Set<Int> { reader.sink.linked }

    init(_ raw: Int32, into tree: ArchiveTree, _ limits: ArchiveLimits) {
        (self.raw, self.limits) = (raw, limits)
        var tar = TarLimits()
        tar.entries = limits.entries
        tar.fileSize = limits.size
        reader = TarReader(into: Sink(tree), limits: tar)
    }

    /// Reads on.
    /// - Returns: whether that was all.
    mutating func advance() throws(ArchiveProblem) -> Bool {
        let position = Int64(place)
        let bytes = try ArchiveProblem.system { () throws(PosixError) in
            try Posix.pread(raw, maximum: 256 << 10, at: position)
        }
        guard UInt64(bytes.count) <= limits.size - place else { throw .tooLarge(limit: limits.size) }
        do throws(TarError) {
            if bytes.isEmpty { try reader.finish() }
            // So the indices of what the sink gets are places in the archive.
            reader.sink.base = place
            try reader.consume(bytes[...])
        } catch {
            throw .archive(error)
        }
        place += UInt64(bytes.count)
        return bytes.isEmpty
    }
}

/// A file's bytes out of the archive.
final class SourceContent: MemberContent {
    private let raw: Int32
    private var place: UInt64
    private var left: UInt64

    init(_ raw: Int32, _ file: SourceFile) { (self.raw, place, left) = (raw, file.place, file.size) }

    func next(_ budget: inout Int) throws(ArchiveProblem) -> ArraySlice<UInt8>? {
        if left == 0 { return nil }
        let (count, position) = (Int(min(left, 64 << 10)), Int64(place))
        let bytes = try ArchiveProblem.system { () throws(PosixError) in
            try Posix.pread(raw, maximum: count, at: position)
        }
        if bytes.isEmpty { throw .cutShort }
        place += UInt64(bytes.count)
        left -= UInt64(bytes.count)
        budget -= bytes.count
        return bytes[...]
    }
}
