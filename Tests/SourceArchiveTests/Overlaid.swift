// Archives through SourceOverlay and ArtifactPacker, step by step.

import Files
import Posix
import SourceArchive
import Tar
import TarFixtures

/// A file without a name that holds these bytes.
func stored(_ bytes: [UInt8]) throws -> FileDescriptor {
    let file = try Posix.openTemporary("/tmp")
    try Posix.writeAll(file.raw, bytes)
    return file
}

/// A source and zip archives laid over it.
struct Overlaid {
    private(set) var problem: ArchiveProblem?
    private(set) var archive: NormalArchive?
    let bytes: [UInt8]
    private(set) var steps = 0
    /// The most that one step wrote.
    private(set) var longest: Int64 = 0

    init(_ source: [UInt8]?, _ zips: [[UInt8]], limits: ArchiveLimits = ArchiveLimits(size: 1 << 30)) throws {
        let result = try Posix.openTemporary("/tmp")
        // There is no array of what cannot be copied.
        let tar = try source.map { try stored($0).release() }
        let raws = try zips.map { try stored($0).release() }
        defer { for raw in [tar ?? -1] + raws where raw >= 0 { _ = FileDescriptor(owning: raw) } }
        let overlay = SourceOverlay(source: tar, zips: raws, into: result.raw, limits: limits)
        do throws(ArchiveProblem) {
            while archive == nil {
                let before = Self.size(result.raw)
                archive = try overlay.advance()
                steps += 1
                longest = max(longest, Self.size(result.raw) - before)
            }
        } catch {
            problem = error
        }
        bytes = try Posix.pread(result.raw, maximum: Int(try Posix.fstat(result.raw).size), at: 0)
    }

    static func size(_ raw: Int32) -> Int64 { (try? Posix.fstat(raw)).map { Int64($0.size) } ?? 0 }

    /// What the runner makes of it.
    func members() throws -> [String] {
        var reader = TarReader(into: Listing())
        try reader.consume(bytes[...])
        try reader.finish()
        return reader.sink.lines
    }
}

/// Artifacts as they are sent.
struct Packed {
    private(set) var problem: ArchiveProblem?
    private(set) var artifacts: PackedArtifacts?
    let bytes: [UInt8]
    private(set) var steps = 0

    init(
        _ tar: [UInt8], _ format: ArtifactFormat, limits: ArchiveLimits = ArchiveLimits(size: 1 << 30),
        wide: UInt64 = 0xFFFF_FFFF
    ) throws {
        let source = try stored(tar)
        let result = try Posix.openTemporary("/tmp")
        do throws(ArchiveProblem) {
            let packer = try ArtifactPacker(
                tar: source.raw, format: format, into: result.raw, limits: limits, wide: wide)
            while artifacts == nil {
                artifacts = try packer.advance()
                steps += 1
            }
        } catch {
            problem = error
        }
        bytes = try Posix.pread(result.raw, maximum: Int(try Posix.fstat(result.raw).size), at: 0)
    }
}
