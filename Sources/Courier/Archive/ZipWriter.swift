// ZipWriter: a zip archive, written in one go from its front to its end: what is not known before a file is packed
// comes behind it. With the type and mode that Unix knows and UTF-8 names, and wide numbers only where they are needed,
// as GitLab and its runner write and read it.

import Tar

struct ZipWriter: ArchiveOutput {
    static let hasTree = true
    static let hasHardLinks = false

    /// A member whose data come, or have come.
    private struct Member {
        let name: [UInt8]
        let mode: UInt32
        /// Before 1970 where nobody knows.
        let modified: Int64
        let place: UInt64
        var method = Zip.store
        var isWide = false
        var checksum = Checksum()
        var compressed: UInt64 = 0
        var size: UInt64 = 0

        /// Its size and checksum come behind its data. What has no data needs no such thing, and may have none.
        var isStreamed: Bool { method == Zip.deflate }
        /// The name may be any bytes, but then nobody is told that it were UTF-8.
        var flags: UInt16 {
            (isStreamed ? 1 << 3 : 0) | (String(validating: name, as: UTF8.self) == nil ? 0 : 1 << 11)
        }
    }

    /// From here on a number is written in the wide form.
    private let wide: UInt64
    private let deflate: Deflate
    private var member: Member?
    private var bytes: [UInt8] = []
    /// What was taken out before.
    private var taken: UInt64 = 0
    private var entries: UInt64 = 0
    private var directory: [UInt8] = []
    /// How much of the directory was written, once all members are.
    private var closed: Int?

    init(wide: UInt64) throws(ArchiveProblem) {
        guard let deflate = Deflate() else { throw .outOfMemory }
        (self.deflate, self.wide) = (deflate, wide)
    }

    mutating func takeAll() -> [UInt8] {
        defer { bytes.removeAll(keepingCapacity: true) }
        taken += UInt64(bytes.count)
        return bytes
    }

    mutating func directory(_ path: TarPath) {
        begin(Member(name: path.bytes + [UInt8(ascii: "/")], mode: 0o040755, modified: -1, place: place))
        end()
    }

    mutating func symbolicLink(_ path: TarPath, target: [UInt8]) {
        var link = Member(name: path.bytes, mode: 0o120777, modified: -1, place: place)
        link.checksum.add(target[...])
        (link.compressed, link.size) = (UInt64(target.count), UInt64(target.count))
        begin(link)
        bytes += target
        end()
    }

    mutating func beginFile(_ file: TarFile) {
        let mode: UInt32 = file.isExecutable ? 0o100755 : 0o100644
        var member = Member(name: file.path.bytes, mode: mode, modified: file.modified, place: place)
        if file.size > 0 { member.method = Zip.deflate }
        // What cannot be packed grows by less than a thousandth.
        member.isWide = file.size + file.size >> 8 >= wide
        begin(member)
    }

    mutating func write(_ data: ArraySlice<UInt8>) {
        let before = bytes.count
        deflate.consume(data, into: &bytes)
        member?.compressed += UInt64(bytes.count - before)
        member?.size += UInt64(data.count)
        member?.checksum.add(data)
    }

    mutating func endFile() {
        if member?.isStreamed == true {
            let before = bytes.count
            deflate.finish(into: &bytes)
            member?.compressed += UInt64(bytes.count - before)
        }
        end()
    }

    mutating func close() -> Bool {
        let from = closed ?? 0
        if closed == nil { writeEnd() }
        let part = directory[from...].prefix(256 << 10)
        bytes += part
        closed = part.endIndex
        return part.endIndex == directory.endIndex
    }

    // MARK: - Records

    private var place: UInt64 { taken + UInt64(bytes.count) }

    private mutating func begin(_ member: Member) {
        self.member = member
        bytes.put(Zip.local)
        Self.head(member, &bytes)
        // What is not known yet is 0; a wide member says that it is wide.
        let isUnknown = member.isStreamed && member.isWide
        bytes.put(member.checksum.value)
        bytes.put(isUnknown ? .max : UInt32(member.compressed))
        bytes.put(isUnknown ? .max : UInt32(member.size))
        let time = Self.time(member.modified)
        bytes.put(UInt16(member.name.count))
        bytes.put(UInt16(time.count + (isUnknown ? 20 : 0)))
        bytes += member.name + time
        if isUnknown { Self.wideField([0, 0], &bytes) }
    }

    /// What comes behind the data, and the member's record in the directory.
    private mutating func end() {
        guard let member else { return }
        self.member = nil
        if member.isStreamed {
            bytes.put(Zip.descriptor)
            bytes.put(member.checksum.value)
            for size in [member.compressed, member.size] {
                if member.isWide { bytes.put(size) } else { bytes.put(UInt32(size)) }
            }
        }
        entries += 1
        let (isWide, isFar) = (member.isStreamed && member.isWide, member.place >= wide)
        let numbers = (isWide ? [member.size, member.compressed] : []) + (isFar ? [member.place] : [])
        directory.put(Zip.central)
        // By Unix; then the version of the format.
        directory.put(UInt16(3 << 8 | 45))
        Self.head(member, &directory)
        directory.put(member.checksum.value)
        directory.put(isWide ? .max : UInt32(member.compressed))
        directory.put(isWide ? .max : UInt32(member.size))
        let time = Self.time(member.modified)
        directory.put(UInt16(member.name.count))
        directory.put(UInt16(time.count + (numbers.isEmpty ? 0 : 4 + 8 * numbers.count)))
        // No comment, the first disk, nothing about its text.
        for _ in 0..<3 { directory.put(UInt16(0)) }
        directory.put(member.mode << 16 | (member.mode & 0o040000 == 0 ? 0 : 0x10))
        directory.put(isFar ? .max : UInt32(member.place))
        directory += member.name + time
        if !numbers.isEmpty { Self.wideField(numbers, &directory) }
    }

    /// From the version that is needed to the date.
    private static func head(_ member: Member, _ record: inout [UInt8]) {
        record.put(UInt16(member.isWide ? 45 : 20))
        record.put(member.flags)
        record.put(member.method)
        let (date, time) = Zip.date(member.modified)
        record.put(time)
        record.put(date)
    }

    private static func wideField(_ numbers: [UInt64], _ record: inout [UInt8]) {
        record.put(Zip.wideExtra)
        record.put(UInt16(8 * numbers.count))
        for number in numbers { record.put(number) }
    }

    /// The extra field of the time; none for a time that it cannot say.
    private static func time(_ modified: Int64) -> [UInt8] {
        guard modified >= 0, let seconds = Int32(exactly: modified) else { return [] }
        var field: [UInt8] = []
        field.put(Zip.timeExtra)
        field.put(UInt16(5))
        field.append(1)
        field.put(seconds)
        return field
    }

    private mutating func writeEnd() {
        let (start, size) = (place, UInt64(directory.count))
        if entries >= 0xFFFF || start >= wide || size >= wide {
            directory.put(Zip.wideEnd)
            directory.put(UInt64(Zip.wideEndSize - 12))
            directory.put(UInt16(3 << 8 | 45))
            directory.put(UInt16(45))
            directory.put(UInt64(0))
            for number in [entries, entries, size, start] { directory.put(number) }
            directory.put(Zip.wideLocator)
            directory.put(UInt32(0))
            directory.put(start + size)
            directory.put(UInt32(1))
        }
        directory.put(Zip.end)
        directory.put(UInt32(0))
        for _ in 0..<2 { directory.put(UInt16(clamping: entries)) }
        directory.put(size >= wide ? .max : UInt32(size))
        directory.put(start >= wide ? .max : UInt32(start))
        directory.put(UInt16(0))
    }
}
