// GzipWriter and RawWriter: the forms of artifacts that hold files and no tree.

import Tar

/// One gzip member for each file, one behind the other, with its name, and its path as the comment: as GitLab's runner
/// writes reports.
struct GzipWriter: ArchiveOutput {
    static let hasTree = false
    static let hasHardLinks = false

    private let deflate: Deflate
    private var checksum = Checksum()
    private var size: UInt32 = 0
    private var bytes: [UInt8] = []

    init() throws(ArchiveProblem) {
        guard let deflate = Deflate() else { throw .outOfMemory }
        self.deflate = deflate
    }

    mutating func beginFile(_ file: TarFile) {
        // Deflate, with a name and a comment.
        bytes += [0x1F, 0x8B, 8, 1 << 3 | 1 << 4]
        bytes.put(UInt32(exactly: file.modified) ?? 0)
        // No word on the effort, and by an unknown system.
        bytes += [0, 255]
        bytes += (file.path.components.last ?? []) + [0] + file.path.bytes + [0]
    }

    mutating func write(_ data: ArraySlice<UInt8>) {
        deflate.consume(data, into: &bytes)
        checksum.add(data)
        size &+= UInt32(truncatingIfNeeded: data.count)
    }

    mutating func endFile() {
        deflate.finish(into: &bytes)
        bytes.put(checksum.value)
        bytes.put(size)
        (checksum, size) = (Checksum(), 0)
    }

    mutating func close() -> Bool { true }

    mutating func takeAll() -> [UInt8] {
        defer { bytes.removeAll(keepingCapacity: true) }
        return bytes
    }
}

/// The bytes of the only file.
struct RawWriter: ArchiveOutput {
    static let hasTree = false
    static let hasHardLinks = false

    private var bytes: [UInt8] = []
    private var hasFile = false

    mutating func beginFile(_ file: TarFile) throws(ArchiveProblem) {
        if hasFile { throw .severalFiles }
        hasFile = true
    }

    mutating func write(_ data: ArraySlice<UInt8>) { bytes += data }

    mutating func endFile() {}

    mutating func close() -> Bool { true }

    mutating func takeAll() -> [UInt8] {
        defer { bytes.removeAll(keepingCapacity: true) }
        return bytes
    }
}
