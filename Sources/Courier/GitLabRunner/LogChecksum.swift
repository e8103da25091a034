// LogChecksum: CRC-32 of a log while it is read, piece by piece, in zlib's form, which is GitLab's.

import CZlib

struct LogChecksum: Equatable {
    private(set) var crc: UInt32 = 0
    /// Bytes that are in it.
    private(set) var size: UInt64 = 0

    /// Takes what of a piece was not in it yet. A piece behind a gap is not taken.
    mutating func take(_ bytes: [UInt8], at offset: UInt64) {
        guard offset <= size, size < offset + UInt64(bytes.count) else { return }
        let new = bytes[Int(size - offset)...]
        unsafe new.withUnsafeBytes { part in
            crc = UInt32(
                truncatingIfNeeded: unsafe crc32(
                    UInt(crc), part.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt32(part.count)))
        }
        size += UInt64(new.count)
    }

    var summary: LogSummary { LogSummary(crc: crc, size: size) }
}
