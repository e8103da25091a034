// One entry of an attempt's journal, and how it lies on disk. AttemptLog writes them, recovery reads them.

import Wire

/// What a journal says at one point: everything up to the runner's record `number` is in the log file, which then
/// ends at `logEnd`.
///
/// On disk, integers big-endian: length u32 (of the whole entry) | number u64 | logEnd u64 | dropped u64 | kind u8 |
/// payload | length u32 again. A write that was cut short, by a kill or by a full disk, leaves an entry whose second
/// length is missing; blocks that a power failure left as zeros give a length of 0. Both end the journal there.
package struct JournalEntry: Equatable, Sendable {
    /// Last record of the runner that this entry covers.
    package var number: UInt64
    /// Bytes of the log file that belong to it.
    package var logEnd: UInt64
    /// Bytes of output beyond the log's limit: counted, not stored.
    package var dropped: UInt64
    package var content: JournalContent

    package init(number: UInt64, logEnd: UInt64, dropped: UInt64, content: JournalContent) {
        self.number = number
        self.logEnd = logEnd
        self.dropped = dropped
        self.content = content
    }
}

package enum JournalContent: Equatable, Sendable {
    /// The first entry: the encoded RelayEdge.RunJob that began the attempt.
    case opened([UInt8])
    /// Output only.
    case progress
    /// The encoded RunnerEdge.Record of this number, which is no output.
    case event([UInt8])
}

extension JournalEntry {
    /// Bytes of an entry without its payload.
    private static let overhead = 4 + 8 + 8 + 8 + 1 + 4
    /// An opened entry holds one control frame at most; nothing is larger.
    private static let longest = 128 << 10

    private var kindAndPayload: (UInt8, [UInt8]) {
        switch content {
        case .opened(let encoded): (1, encoded)
        case .progress: (2, [])
        case .event(let encoded): (3, encoded)
        }
    }

    /// Bytes on disk.
    package var length: Int { Self.overhead + kindAndPayload.1.count }

    package func write(to bytes: inout [UInt8]) {
        let (kind, payload) = kindAndPayload
        let length = UInt32(Self.overhead + payload.count)
        var head = WireWriter(reserving: Self.overhead)
        head.u32(length)
        head.u64(number)
        head.u64(logEnd)
        head.u64(dropped)
        head.u8(kind)
        var tail = WireWriter(reserving: 4)
        tail.u32(length)
        bytes += head.bytes
        bytes += payload
        bytes += tail.bytes
    }

    /// Reads all whole entries from the beginning; `valid` is the number of bytes that they take.
    /// What follows is a write that was never finished, so nobody was told of it.
    package static func readAll(_ bytes: [UInt8]) -> (entries: [JournalEntry], valid: Int) {
        var entries: [JournalEntry] = []
        var valid = 0
        while let (entry, length) = try? read(bytes[valid...]) {
            if let last = entries.last, entry.number < last.number || entry.logEnd < last.logEnd { break }
            entries.append(entry)
            valid += length
        }
        return (entries, valid)
    }

    private static func read(_ bytes: ArraySlice<UInt8>) throws(WireError) -> (JournalEntry, length: Int) {
        var reader = WireReader(bytes)
        let length = Int(try reader.u32())
        guard length >= overhead, length <= longest else { throw .outOfBounds("length") }
        guard bytes.count >= length else { throw .truncated }
        let number = try reader.u64()
        let logEnd = try reader.u64()
        let dropped = try reader.u64()
        let kind = try reader.u8()
        let end = bytes.startIndex + length - 4
        var tail = WireReader(bytes[end..<(end + 4)])
        guard try tail.u32() == UInt32(length) else { throw .truncated }
        let payload = Array(bytes[(bytes.startIndex + overhead - 4)..<end])
        let content: JournalContent
        switch kind {
        case 1: content = .opened(payload)
        case 2 where payload.isEmpty: content = .progress
        case 3: content = .event(payload)
        default: throw .unknownCase("kind", UInt64(kind))
        }
        return (JournalEntry(number: number, logEnd: logEnd, dropped: dropped, content: content), length)
    }
}
