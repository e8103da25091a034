// SourceOverlay: the source of a job with the artifacts of earlier jobs laid over it, as our plain tar. Artifacts are
// strangers' bytes; what comes out is as plain as any source. It works in steps: courierd's loop has others to serve.

import Crypto
import Files
import Posix
import Tar

package final class SourceOverlay {
    private let layers: Layers<TarWriter>
    private let raw: Int32
    private let limits: ArchiveLimits
    private var hash = SHA256()
    private var size: UInt64 = 0
    private var made: NormalArchive?

    /// - Parameters:
    ///   - source: a plain tar; nil for a job without a source.
    ///   - zips: later ones lie over earlier ones, and all over the source.
    ///   - raw: an empty file, open for writing. All of them stay open as long as this is in use.
    package init(source: Int32?, zips: [Int32], into raw: Int32, limits: ArchiveLimits) {
        (self.raw, self.limits) = (raw, limits)
        layers = Layers(source, zips, into: TarWriter(), limits)
    }

    /// Works on some 256 KiB. After a problem it is over.
    /// - Returns: the archive when it is whole; nil: there is more to do.
    package func advance() throws(ArchiveProblem) -> NormalArchive? {
        if let made { return made }
        guard let bytes = try layers.advance() else {
            let made = NormalArchive(sha256: Array(hash.finalize()), size: size, entries: layers.entries)
            self.made = made
            return made
        }
        guard UInt64(bytes.count) <= limits.size - size else { throw .tooLarge(limit: limits.size) }
        size += UInt64(bytes.count)
        hash.update(data: bytes)
        let raw = raw
        try ArchiveProblem.system { () throws(PosixError) in try Posix.writeAll(raw, bytes) }
        return nil
    }
}
