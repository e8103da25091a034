// ZipDirectory: reads a zip archive's directory, some entries at a time. It alone says what is in the archive. The
// entries have to lie one behind the other in the order in which they are listed, as everybody writes them: then none
// shares its bytes with another, which is how a small archive becomes an endless one; and nothing has to be sorted.

import Files
import Posix
import Tar

struct ZipDirectory {
    struct Found {
        var entry: ZipEntry
        let path: TarPath
    }

    private let raw: Int32
    private let limits: ArchiveLimits
    private let end: UInt64
    /// Where the directory begins: behind all entries.
    private let start: UInt64
    private var place: UInt64
    private var left: UInt64
    /// The last one that was read: the next one says where its data end at the latest.
    private var pending: Found?
    /// Where the next one may begin.
    private var free: UInt64 = 0
    private var size: UInt64 = 0
    private var compressed: UInt64 = 0

    /// The most that one record can take.
    private static let window = Zip.centralSize + 3 * 0xFFFF

    init(_ raw: Int32, _ limits: ArchiveLimits) throws(ArchiveProblem) {
        let found = try ZipEnd(raw)
        guard found.entries <= UInt64(limits.entries) else {
            throw .archive(TarError(.tooManyEntries(limit: limits.entries)))
        }
        (self.raw, self.limits) = (raw, limits)
        (start, end, left, place) = (found.start, found.end, found.entries, found.start)
    }

    /// Reads some hundred entries.
    /// - Returns: whether these were the last.
    mutating func advance(
        _ body: (Found) throws(ArchiveProblem) -> Void
    ) throws(ArchiveProblem) -> Bool {
        let count = min(end - place, UInt64(Self.window))
        let position = Int64(place)
        let bytes = try ArchiveProblem.system { () throws(PosixError) in
            try Posix.pread(raw, maximum: Int(count), at: position)
        }
        var rest = bytes[...]
        for _ in 0..<500 where left > 0 {
            guard
                let length = try ArchiveProblem.inZip(
                    nil, { () throws(ZipProblem) in try ZipEntry.Record.length(rest) }),
                length <= rest.count
            else {
                // The window holds a whole record, if there is one.
                if rest.count == bytes.count { throw .zip(.badRecord, entry: nil) }
                return false
            }
            if let found = try take(rest.prefix(length)) { try body(found) }
            rest = rest.dropFirst(length)
            place += UInt64(length)
            left -= 1
        }
        if left > 0 { return false }
        guard place == end else { throw .zip(.badRecord, entry: nil) }
        if var last = pending {
            last.entry.end = start
            try body(last)
        }
        // Since no entry is larger or smaller than it says, this is known before the first one is unpacked.
        if size > limits.grace && (size - limits.grace) / limits.ratio > compressed { throw .bomb }
        return true
    }

    /// Reads one.
    /// - Returns: the one before it.
    private mutating func take(_ bytes: ArraySlice<UInt8>) throws(ArchiveProblem) -> Found? {
        let name = try ArchiveProblem.inZip { () throws(ZipProblem) in try ZipEntry.Record.name(bytes) }
        let record = try ArchiveProblem.inZip(name) { () throws(ZipProblem) in
            let record = try ZipEntry.Record(bytes)
            try reserve(record.entry, name.count)
            return record
        }
        let path = try ArchiveProblem.entry(name) { () throws(TarProblem) in try Self.path(name, record.entry) }
        guard record.entry.size <= limits.size - size else { throw .tooLarge(limit: limits.size) }
        size += record.entry.size
        compressed += record.entry.compressed
        defer { pending = Found(entry: record.entry, path: path) }
        guard var before = pending else { return nil }
        before.entry.end = record.entry.place
        return before
    }

    /// The bytes that it takes at least are behind those of the others and before the directory.
    private mutating func reserve(_ entry: ZipEntry, _ name: Int) throws(ZipProblem) {
        let header = UInt64(Zip.localSize + name)
        guard entry.place >= free, entry.place <= start, header <= start - entry.place,
            entry.compressed <= start - entry.place - header
        else { throw .outOfOrder }
        free = entry.place + header + entry.compressed
    }

    private static func path(_ name: [UInt8], _ entry: ZipEntry) throws(TarProblem) -> TarPath {
        // It is a name's byte here and a separator elsewhere.
        guard !name.isEmpty, !name.contains(UInt8(ascii: "\\")) else { throw .badPath }
        let path = try TarPath(name)
        switch entry.kind {
        case .directory:
            guard entry.size == 0 else { throw .dataOnLink }
        case .link:
            guard !path.components.isEmpty else { throw .badPath }
            guard entry.size > 0, entry.size <= UInt64(TarPath.longestPath) else { throw .linkLeaves }
        case .file, .executable:
            guard !path.components.isEmpty else { throw .badPath }
        }
        return path
    }
}
