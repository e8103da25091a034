// ZipContent: the bytes of one entry of a zip archive, a piece at a time, compared with what the directory says.

import Files
import Posix
import Tar

/// What a member of an archive holds.
protocol MemberContent: AnyObject {
    /// Some 64 KiB of it; nil at its end. It takes the work that it was off the `budget`.
    func next(_ budget: inout Int) throws(ArchiveProblem) -> ArraySlice<UInt8>?
}

final class ZipContent: MemberContent {
    private let raw: Int32
    private let entry: ZipEntry
    private let path: [UInt8]
    private var inflate: Inflate?
    /// Where its bytes are, and how many are still to be read.
    private var place: UInt64 = 0
    private var left: UInt64
    private var input: ArraySlice<UInt8> = []
    private var given: UInt64 = 0
    private var checksum = Checksum()

    private static let piece = 64 << 10

    /// - Parameter path: the entry's, as the directory has it.
    init(_ raw: Int32, _ entry: ZipEntry, _ path: TarPath) throws(ArchiveProblem) {
        (self.raw, self.entry, left) = (raw, entry, entry.compressed)
        self.path = path.bytes
        if entry.method == Zip.deflate {
            guard let inflate = Inflate(.raw) else { throw .outOfMemory }
            self.inflate = consume inflate
        }
        try readHeader(path)
    }

    /// What the entry's own header says.
    private struct Header {
        let flags: UInt16
        let method: UInt16
        let checksum: UInt32
        let compressed: UInt32
        let size: UInt32
        let name: Int
        let extra: Int

        init(_ bytes: [UInt8]) throws(ZipProblem) {
            var fields = ZipFields(bytes[...])
            try fields.expect(Zip.local)
            _ = try fields.take(2)
            flags = try fields.number()
            method = try fields.number()
            _ = try fields.take(4)
            checksum = try fields.number()
            compressed = try fields.number()
            size = try fields.number()
            name = Int(try fields.number(UInt16.self))
            extra = Int(try fields.number(UInt16.self))
        }
    }

    /// That has to be what the directory says.
    private func readHeader(_ path: TarPath) throws(ArchiveProblem) {
        let bytes = try read(Zip.localSize, at: entry.place)
        let header = try ArchiveProblem.inZip(self.path) { () throws(ZipProblem) in try Header(bytes) }
        let more = try read(header.name + header.extra, at: entry.place + UInt64(Zip.localSize))
        place = entry.place + UInt64(Zip.localSize + more.count)
        guard place <= entry.end, entry.compressed <= entry.end - place else { throw problem(.outOfOrder) }
        guard let named = try? TarPath(Array(more.prefix(header.name))), named == path else {
            throw problem(.headersDiffer)
        }
        try ArchiveProblem.inZip(self.path) { () throws(ZipProblem) in
            var wide = try ZipFields.extra(Zip.wideExtra, in: more.dropFirst(header.name))
            guard header.flags & 0x2041 == 0, header.method == entry.method, says(header.checksum, entry.checksum),
                says(try ZipEntry.widened(header.size, &wide), entry.size),
                says(try ZipEntry.widened(header.compressed, &wide), entry.compressed)
            else { throw .headersDiffer }
        }
    }

    /// Whoever wrote it without knowing has written 0.
    private func says<Number: FixedWidthInteger>(_ own: Number, _ listed: Number) -> Bool {
        own == listed || own == 0 && entry.isStreamed
    }

    func next(_ budget: inout Int) throws(ArchiveProblem) -> ArraySlice<UInt8>? {
        if input.isEmpty && left > 0 {
            let count = min(left, UInt64(Self.piece))
            input = try read(Int(count), at: place)[...]
            place += count
            left -= count
        }
        let before = input.count
        let piece = try step()
        budget -= before - input.count
        guard let piece else {
            guard given == entry.size else { throw problem(.wrongSize) }
            guard checksum.value == entry.checksum else { throw problem(.wrongChecksum) }
            return nil
        }
        given += UInt64(piece.count)
        budget -= piece.count
        guard given <= entry.size else { throw problem(.wrongSize) }
        checksum.add(piece)
        return piece
    }

    private func step() throws(ArchiveProblem) -> ArraySlice<UInt8>? {
        guard inflate != nil else {
            defer { input = [] }
            return input.isEmpty ? nil : input
        }
        return try unpack()
    }

    private func unpack() throws(ArchiveProblem) -> ArraySlice<UInt8>? {
        guard inflate?.isAtEnd == false else {
            // Bytes behind the end are no part of it.
            guard input.isEmpty && left == 0 else { throw problem(.badData) }
            return nil
        }
        do throws(ArchiveProblem) {
            guard let (used, made) = try inflate?.pull(input) else { return nil }
            input = input.dropFirst(used)
            // It has to go on in some direction.
            if used == 0 && made.isEmpty && inflate?.isAtEnd == false { throw problem(.badData) }
            return made
        } catch {
            throw problem(.badData)
        }
    }

    private func read(_ count: Int, at place: UInt64) throws(ArchiveProblem) -> [UInt8] {
        let bytes = try ArchiveProblem.system { () throws(PosixError) in
            try Posix.pread(raw, maximum: count, at: Int64(place))
        }
        guard bytes.count == count else { throw .cutShort }
        return bytes
    }

    private func problem(_ problem: ZipProblem) -> ArchiveProblem { .zip(problem, entry: TarError.printable(path)) }
}
