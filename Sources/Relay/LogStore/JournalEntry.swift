// One entry of an attempt's journal, and how it lies on disk. AttemptLog writes them, recovery reads them.

import Wire

/// What a journal says at one point: everything up to `point` of the runner's records is in the log file, which then
/// ends at `logEnd`.
///
/// On disk, integers big-endian: length u32 (of the whole entry) | number u64 | ahead u32 | covered u32 | open u8 |
/// logEnd u64 | dropped u64 | kind u8 | payload | length u32 again. A write that was cut short, by a kill or by a full
/// disk, leaves an entry whose second length is missing; blocks that a power failure left as zeros give a length of 0.
/// Both end the journal there.
package struct JournalEntry: Equatable, Sendable {
    /// What of the runner's records this entry covers.
    package var point: LogPoint
    /// Bytes of the log file that belong to it.
    package var logEnd: UInt64
    /// Bytes of output beyond the log's limit: counted, not stored.
    package var dropped: UInt64
    package var content: JournalContent

    package init(point: LogPoint, logEnd: UInt64, dropped: UInt64, content: JournalContent) {
        self.point = point
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
    /// Pieces of the archive of an artifact rule, which then ends there.
    case artifact(rule: UInt16, end: UInt64)

    var isEvent: Bool {
        if case .event = self { true } else { false }
    }
}

extension JournalEntry {
    /// Bytes of an entry without its payload.
    private static let overhead = 4 + 8 + 4 + 4 + 1 + 8 + 8 + 1 + 4
    /// An opened entry holds one control frame at most; nothing is larger.
    private static let longest = 128 << 10

    private var kindAndPayload: (UInt8, [UInt8]) {
        switch content {
        case .opened(let encoded): (1, encoded)
        case .progress: (2, [])
        case .event(let encoded): (3, encoded)
        case .artifact(let rule, let end): (4, Self.artifactPayload(rule, end))
        }
    }

    private static func artifactPayload(_ rule: UInt16, _ end: UInt64) -> [UInt8] {
        var writer = WireWriter(reserving: 10)
        writer.u16(rule)
        writer.u64(end)
        return writer.bytes
    }

    /// Bytes on disk.
    package var length: Int { Self.overhead + kindAndPayload.1.count }

    package func write(to bytes: inout [UInt8]) {
        let (kind, payload) = kindAndPayload
        let length = UInt32(Self.overhead + payload.count)
        var head = WireWriter(reserving: Self.overhead)
        head.u32(length)
        head.u64(point.number)
        head.u32(point.ahead)
        head.u32(point.covered)
        head.u8(point.isOpen ? 1 : 0)
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
            if let last = entries.last, entry.point.number < last.point.number || entry.logEnd < last.logEnd { break }
            entries.append(entry)
            valid += length
        }
        return (entries, valid)
    }

    private static func readPoint(_ reader: inout WireReader) throws(WireError) -> LogPoint {
        let number = try reader.u64()
        let ahead = try reader.u32()
        let covered = try reader.u32()
        let open = try reader.u8()
        guard open <= 1 else { throw .badBool(open) }
        return LogPoint(number: number, ahead: ahead, covered: covered, isOpen: open == 1)
    }

    private static func read(_ bytes: ArraySlice<UInt8>) throws(WireError) -> (JournalEntry, length: Int) {
        var reader = WireReader(bytes)
        let length = Int(try reader.u32())
        guard length >= overhead, length <= longest else { throw .outOfBounds("length") }
        guard bytes.count >= length else { throw .truncated }
        let point = try readPoint(&reader)
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
        case 4 where payload.count == 10:
            var reader = WireReader(payload[...])
            content = .artifact(rule: try reader.u16(), end: try reader.u64())
        default: throw .unknownCase("kind", UInt64(kind))
        }
        return (JournalEntry(point: point, logEnd: logEnd, dropped: dropped, content: content), length)
    }
}
