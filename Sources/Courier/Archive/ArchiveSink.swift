// ArchiveSink: a forge's tar.gz goes in as it comes, our plain tar comes out: one folder less, nothing that leaves, no
// devices, bounded in size and in growth. Outbound pours into it.

import Crypto
import Exchange
import Posix
import Tar

/// A source archive as relayd and the runner want it.
package struct NormalArchive: Equatable, Sendable {
    /// 32 bytes.
    package let sha256: [UInt8]
    package let size: UInt64
    package let entries: Int
}

package final class ArchiveSink: BodySink {
    /// Why it wants no more.
    package private(set) var problem: ArchiveProblem?
    private let limits: ArchiveLimits
    private var gunzip: Inflate
    private var reader: TarReader<Repacker>
    private var hash = SHA256()
    private var size: UInt64 = 0
    private let raw: Int32

    /// - Parameter raw: an empty file, open for writing as long as this sink is in use.
    package init(into raw: Int32, limits: ArchiveLimits) throws(ArchiveProblem) {
        guard let gunzip = Inflate(.gzip) else { throw .outOfMemory }
        self.gunzip = gunzip
        self.limits = limits
        self.raw = raw
        var tar = TarLimits()
        tar.entries = limits.entries
        tar.fileSize = limits.size
        reader = TarReader(into: Repacker(), limits: tar)
    }

    package func take(_ piece: ArraySlice<UInt8>) -> Bool {
        if problem != nil { return false }
        do throws(ArchiveProblem) {
            let limits = limits
            try gunzip.consume(piece) { (bytes, taken, given) throws(ArchiveProblem) in
                if given > limits.size { throw .tooLarge(limit: limits.size) }
                if given > limits.grace && (given - limits.grace) / limits.ratio > taken { throw .bomb }
                do throws(TarError) { try reader.consume(bytes) } catch { throw .archive(error) }
                try write()
            }
            return true
        } catch {
            problem = error
            return false
        }
    }

    /// All of it has come.
    package func finish() throws(ArchiveProblem) -> NormalArchive {
        if let problem { throw problem }
        guard gunzip.isAtEnd else { throw .cutShort }
        do throws(TarError) { try reader.finish() } catch { throw .archive(error) }
        do throws(TarProblem) { try reader.sink.finish() } catch { throw .archive(TarError(error)) }
        try write()
        return NormalArchive(sha256: Array(hash.finalize()), size: size, entries: reader.entries)
    }

    /// What was repacked so far.
    private func write() throws(ArchiveProblem) {
        let bytes = reader.sink.takeAll()
        hash.update(data: bytes)
        size += UInt64(bytes.count)
        do throws(PosixError) { try Posix.writeAll(raw, bytes) } catch { throw .system(error) }
    }
}
