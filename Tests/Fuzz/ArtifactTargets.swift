// The reader of zip archives, and the writer.

import Files
import Posix
import SourceArchive
import Tar

/// A zip archive. What is taken of it is a tar in our form and within the bounds; packed and laid out again, it is the
/// same: so what the writer writes, the reader takes.
func zipArchive(_ input: ArraySlice<UInt8>) throws {
    let zip = try Posix.memoryFile("zip")
    try Posix.writeAll(zip.raw, input)
    let once = try laidOut(zip.raw)
    do {
        var reader = TarReader(into: TarWriter())
        try reader.consume(once[...])
        try reader.finish()
        reader.sink.finish()
        if reader.sink.takeAll() != once { throw OracleError.notCanonical("an overlay is not in our form") }
        let twice = try packedAndLaidOut(once)
        if timeless(twice) != timeless(once) { throw OracleError.notCanonical("what was packed is another archive") }
        // A time that one of both forms cannot say is changed once, but not twice.
        if try packedAndLaidOut(twice) != twice { throw OracleError.notCanonical("what was packed changes") }
    } catch let error as OracleError {
        throw error
    } catch {
        throw OracleError.notCanonical("what was laid out is refused: \(error)")
    }
}

private var limits: ArchiveLimits {
    var limits = ArchiveLimits(size: 256 << 10)
    (limits.grace, limits.entries) = (64 << 10, 2000)
    return limits
}

private func laidOut(_ zip: Int32) throws -> [UInt8] {
    let layers = Layers(nil, [zip], into: TarWriter(), limits)
    var tar: [UInt8] = []
    while let bytes = try layers.advance() {
        tar += bytes
        if tar.count > 4 << 20 { throw OracleError.notCanonical("it has no end") }
    }
    if layers.entries > limits.entries { throw OracleError.notCanonical("more entries than are allowed") }
    return tar
}

/// Without the times of its headers and their checksums; and without what stands there in other blocks.
private func timeless(_ tar: [UInt8]) -> [UInt8] {
    var tar = tar
    for block in stride(from: 0, to: tar.count, by: 512) {
        for place in block + 136..<block + 156 { tar[place] = 0 }
    }
    return tar
}

private func packedAndLaidOut(_ tar: [UInt8]) throws -> [UInt8] {
    let source = try Posix.memoryFile("tar")
    try Posix.writeAll(source.raw, tar)
    let zip = try Posix.memoryFile("zip")
    var large = limits
    (large.size, large.ratio) = (8 << 20, 2000)
    let packer = try ArtifactPacker(tar: source.raw, format: .zip, into: zip.raw, limits: large)
    while try packer.advance() == nil {}
    let layers = Layers(nil, [zip.raw], into: TarWriter(), large)
    var again: [UInt8] = []
    while let bytes = try layers.advance() { again += bytes }
    return again
}
