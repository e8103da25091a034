// ArchiveLimits: what a forge's archive may grow to.

package struct ArchiveLimits: Sendable {
    /// Bytes of the tar archive, unpacked.
    package var size: UInt64
    /// Bytes that one compressed byte may become, beyond the first `grace`. gzip can make 1,032; sources are at five,
    /// and a repository with large empty files at some hundred.
    package var ratio: UInt64 = 200
    /// Bytes that nobody counts the ratio of.
    package var grace: UInt64 = 64 << 20
    /// Directories, files and links.
    package var entries = 250_000
    /// Bytes of all their paths, where a whole tree is held in memory.
    package var names = 32 << 20

    package init(size: UInt64) { self.size = size }
}
