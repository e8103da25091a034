// Repacker: from the archive of a forge to ours: without the folder at its top, and with nothing in it that our runner
// would not take. Used by ArchiveSink.

import Crypto
import Posix
import Tar

/// A TarSink that writes an archive into a file and hashes it on the way.
struct Repacker: TarSink {
    /// Written at once when there is so much.
    private static let batch = 64 << 10

    private(set) var size: UInt64 = 0
    private let raw: Int32
    private var writer = TarWriter()
    private var hash = SHA256()
    private var top: [UInt8]?

    init(into raw: Int32) { self.raw = raw }

    mutating func directory(_ path: TarPath) throws(TarProblem) {
        let path = try stripped(path)
        if path.components.isEmpty { return }
        writer.directory(path)
        try flush(Self.batch)
    }

    mutating func beginFile(_ file: TarFile) throws(TarProblem) {
        writer.beginFile(
            try inside(file.path), size: file.size, isExecutable: file.isExecutable, modified: file.modified)
    }

    mutating func write(_ bytes: ArraySlice<UInt8>) throws(TarProblem) {
        writer.write(bytes)
        try flush(Self.batch)
    }

    mutating func endFile() throws(TarProblem) {
        writer.endFile()
        try flush(Self.batch)
    }

    mutating func symbolicLink(_ path: TarPath, target: [UInt8]) throws(TarProblem) {
        let path = try inside(path)
        // The reader has looked at it with the folder at the top around it; without, the way out is shorter.
        guard path.admitsTarget(target) else { throw .linkLeaves }
        writer.symbolicLink(path, target: target)
        try flush(Self.batch)
    }

    mutating func hardLink(_ path: TarPath, to existing: TarPath) throws(TarProblem) {
        let path = try inside(path)
        let file: TarPath
        do throws(TarProblem) { file = try inside(existing) } catch { throw .linkLeaves }
        writer.hardLink(path, to: file)
        try flush(Self.batch)
    }

    /// The archive is whole. Its SHA-256.
    mutating func finish() throws(TarProblem) -> [UInt8] {
        if top == nil { throw .noTopFolder }
        writer.finish()
        try flush(1)
        return Array(hash.finalize())
    }

    private mutating func stripped(_ path: TarPath) throws(TarProblem) -> TarPath {
        guard let first = path.components.first, first == top ?? first else { throw .noTopFolder }
        top = first
        return path.belowTop
    }

    private mutating func inside(_ path: TarPath) throws(TarProblem) -> TarPath {
        let path = try stripped(path)
        // A file in the place of the folder.
        if path.components.isEmpty { throw .noTopFolder }
        return path
    }

    private mutating func flush(_ least: Int) throws(TarProblem) {
        if writer.bytes.count < least { return }
        let bytes = writer.takeAll()
        hash.update(data: bytes)
        size += UInt64(bytes.count)
        do throws(PosixError) {
            try Posix.writeAll(raw, bytes)
        } catch {
            throw error.isFull ? .noSpace : .system(call: "write", errno: error.errno)
        }
    }
}
