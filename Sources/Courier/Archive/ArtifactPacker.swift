// ArtifactPacker: what a job leaves, from our plain tar to the form in which the forge wants it. The tar comes from the
// job's runner and may be anything. It works in steps: courierd's loop has others to serve.

import Posix
import Tar

/// How the forge wants a job's artifacts.
package enum ArtifactFormat: Sendable {
    case zip
    /// Files, each for itself.
    case gzip
    /// One file as it is.
    case raw
}

package struct PackedArtifacts: Equatable, Sendable {
    /// Bytes.
    package let size: UInt64
    /// Members; where there are none, there is nothing to send.
    package let entries: Int
}

package final class ArtifactPacker {
    private let parts: any ArchiveParts
    private let raw: Int32
    private var size: UInt64 = 0

    /// - Parameters:
    ///   - tar: the artifacts.
    ///   - raw: an empty file, open for writing. Both stay open as long as this is in use.
    ///   - wide: from here on zip archives have wide numbers, which not everybody reads.
    package init(
        tar: Int32, format: ArtifactFormat, into raw: Int32, limits: ArchiveLimits, wide: UInt64 = 0xFFFF_FFFF
    ) throws(ArchiveProblem) {
        self.raw = raw
        switch format {
        case .zip: parts = Layers(tar, [], into: try ZipWriter(wide: wide), limits)
        case .gzip: parts = Layers(tar, [], into: try GzipWriter(), limits)
        case .raw: parts = Layers(tar, [], into: RawWriter(), limits)
        }
    }

    /// Works on some 256 KiB. After a problem it is over.
    /// - Returns: what there is to send when it is whole; nil: there is more to do.
    package func advance() throws(ArchiveProblem) -> PackedArtifacts? {
        guard let bytes = try parts.advance() else { return PackedArtifacts(size: size, entries: parts.entries) }
        size += UInt64(bytes.count)
        let raw = raw
        try ArchiveProblem.system { () throws(PosixError) in try Posix.writeAll(raw, bytes) }
        return nil
    }
}
