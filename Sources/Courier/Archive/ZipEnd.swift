// ZipEnd: where the directory of a zip archive lies, by the record at its end and, in a large one, by the wide record
// before that. Nothing may lie between the directory and these records, or behind them: there parsers differ.

import Files
import Posix

struct ZipEnd {
    let entries: UInt64
    /// Where the directory begins, and where it ends.
    let start: UInt64
    let end: UInt64

    init(_ raw: Int32) throws(ArchiveProblem) {
        let size = try ArchiveProblem.system { () throws(PosixError) in try Posix.fstat(raw).size }
        // The comment at the end is as long as its number allows.
        let begin = max(0, Int64(size) - Int64(Zip.endSize + 0xFFFF + Zip.wideLocatorSize))
        let tail = try ArchiveProblem.system { () throws(PosixError) in
            try Posix.pread(raw, maximum: Int(Int64(size) - begin), at: begin)
        }
        let (short, place) = try ArchiveProblem.inZip { () throws(ZipProblem) in
            guard let place = Self.place(in: tail) else { throw .noEnd }
            return (try Short(tail[place...]), place)
        }
        let locator = place - Zip.wideLocatorSize
        let wide = try ArchiveProblem.inZip { () throws(ZipProblem) in
            locator < 0 ? nil : try Self.wide(tail[locator...], at: UInt64(begin) + UInt64(locator))
        }
        guard let wide else {
            let end = UInt64(begin) + UInt64(place)
            self = try ArchiveProblem.inZip { () throws(ZipProblem) in
                try Self(entries: UInt64(short.entries), size: UInt64(short.size), start: UInt64(short.start), end)
            }
            return
        }
        let bytes = try ArchiveProblem.system { () throws(PosixError) in
            try Posix.pread(raw, maximum: Zip.wideEndSize, at: Int64(wide.record))
        }
        self = try ArchiveProblem.inZip { () throws(ZipProblem) in
            let record = try Self.record(bytes, wide)
            // The wide record stands for what the short one cannot say, and contradicts nothing that it says.
            guard short.entries == .max || UInt64(short.entries) == record.entries,
                short.start == .max || UInt64(short.start) == record.start,
                short.size == .max || UInt64(short.size) == record.end - record.start
            else { throw .badRecord }
            return record
        }
    }

    private init(entries: UInt64, size: UInt64, start: UInt64, _ end: UInt64) throws(ZipProblem) {
        guard start <= end, size == end - start else { throw .badRecord }
        (self.entries, self.start, self.end) = (entries, start, end)
    }

    /// The last place at which a record ends where the file does.
    private static func place(in tail: [UInt8]) -> Int? {
        guard tail.count >= Zip.endSize else { return nil }
        return (0...(tail.count - Zip.endSize)).last { place in
            guard tail[place] == 0x50 && tail[place + 1] == 0x4B && tail[place + 2] == 5 && tail[place + 3] == 6
            else { return false }
            let comment = Int(tail[place + 20]) | Int(tail[place + 21]) << 8
            return place + Zip.endSize + comment == tail.count
        }
    }

    private struct Short {
        let entries: UInt16
        let size: UInt32
        let start: UInt32

        init(_ bytes: ArraySlice<UInt8>) throws(ZipProblem) {
            var fields = ZipFields(bytes)
            try fields.expect(Zip.end)
            let (disk, first, here): (UInt16, UInt16, UInt16) = (
                try fields.number(), try fields.number(), try fields.number()
            )
            entries = try fields.number()
            size = try fields.number()
            start = try fields.number()
            guard disk == 0, first == 0, here == entries else { throw .severalParts }
        }
    }

    /// What stands right before the record of the end, if it is the place of a wide one.
    private static func wide(
        _ bytes: ArraySlice<UInt8>, at place: UInt64
    ) throws(ZipProblem) -> (record: UInt64, locator: UInt64)? {
        var fields = ZipFields(bytes)
        guard try fields.number(UInt32.self) == Zip.wideLocator else { return nil }
        let disk: UInt32 = try fields.number()
        let record: UInt64 = try fields.number()
        let disks: UInt32 = try fields.number()
        guard disk == 0, disks <= 1 else { throw .severalParts }
        guard place >= Zip.wideEndSize, record <= place - UInt64(Zip.wideEndSize) else { throw .badRecord }
        return (record, place)
    }

    private static func record(
        _ bytes: [UInt8], _ place: (record: UInt64, locator: UInt64)
    ) throws(ZipProblem) -> ZipEnd {
        var fields = ZipFields(bytes[...])
        try fields.expect(Zip.wideEnd)
        guard try fields.number(UInt64.self) == place.locator - place.record - 12 else { throw .badRecord }
        _ = try fields.take(4)
        let (disk, first): (UInt32, UInt32) = (try fields.number(), try fields.number())
        let (here, entries): (UInt64, UInt64) = (try fields.number(), try fields.number())
        guard disk == 0, first == 0, here == entries else { throw .severalParts }
        let (size, start): (UInt64, UInt64) = (try fields.number(), try fields.number())
        return try ZipEnd(entries: entries, size: size, start: start, place.record)
    }
}
