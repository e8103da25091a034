// ZipEntry: one entry of a zip archive, as its directory has it. What is not supported is refused here, before anything
// is unpacked. Owners, foreign writers and set-user-id bits are not even read.

import Tar

/// A file or a link.
struct ZipEntry {
    /// Where its own header begins.
    let place: UInt64
    /// Where the next thing begins: its data end before that.
    var end: UInt64 = 0
    let compressed: UInt64
    let size: UInt64
    let checksum: UInt32
    let modified: Int64
    let method: UInt16
    let flags: UInt16
    let kind: Kind

    enum Kind { case directory, file, executable, link }

    /// Its size and checksum follow its data, and may be missing before them.
    var isStreamed: Bool { flags & 8 != 0 }
}

extension ZipEntry {
    /// What the directory has of an entry.
    struct Record {
        let entry: ZipEntry
        let name: [UInt8]

        /// How long the record at the front is; nil if not even that is there.
        static func length(_ bytes: ArraySlice<UInt8>) throws(ZipProblem) -> Int? {
            if bytes.count < Zip.centralSize { return nil }
            var fields = ZipFields(bytes.dropFirst(28))
            let (name, extra, comment): (UInt16, UInt16, UInt16) = (
                try fields.number(), try fields.number(), try fields.number()
            )
            return Zip.centralSize + Int(name) + Int(extra) + Int(comment)
        }

        /// The name of a record, to say what is wrong with the rest of it.
        static func name(_ bytes: ArraySlice<UInt8>) throws(ZipProblem) -> [UInt8] {
            var fields = ZipFields(bytes.dropFirst(28))
            let count: UInt16 = try fields.number()
            _ = try fields.take(Zip.centralSize - 30)
            return Array(try fields.take(Int(count)))
        }

        init(_ bytes: ArraySlice<UInt8>) throws(ZipProblem) {
            var fields = ZipFields(bytes)
            try fields.expect(Zip.central)
            let maker: UInt16 = try fields.number()
            _ = try fields.take(2)
            let (flags, method, time, date): (UInt16, UInt16, UInt16, UInt16) = (
                try fields.number(), try fields.number(), try fields.number(), try fields.number()
            )
            let checksum: UInt32 = try fields.number()
            let (compressed, size): (UInt32, UInt32) = (try fields.number(), try fields.number())
            let (nameLength, extraLength): (UInt16, UInt16) = (try fields.number(), try fields.number())
            _ = try fields.take(2)
            let disk: UInt16 = try fields.number()
            _ = try fields.take(2)
            let (attributes, place): (UInt32, UInt32) = (try fields.number(), try fields.number())
            name = Array(try fields.take(Int(nameLength)))
            let extra = try fields.take(Int(extraLength))
            var wide = try ZipFields.extra(Zip.wideExtra, in: extra)
            // They stand there in this order, and only those that do not fit.
            let wideSize = try ZipEntry.widened(size, &wide)
            let wideCompressed = try ZipEntry.widened(compressed, &wide)
            let widePlace = try ZipEntry.widened(place, &wide)
            guard disk == 0 || disk == .max && wide != nil else { throw .severalParts }
            // Encrypted, strongly encrypted, with a hidden directory.
            guard flags & 0x2041 == 0 else { throw .encrypted }
            guard method == Zip.store || method == Zip.deflate else { throw .method(method) }
            guard method == Zip.deflate || wideCompressed == wideSize else { throw .wrongSize }
            entry = ZipEntry(
                place: widePlace, compressed: wideCompressed, size: wideSize, checksum: checksum,
                modified: try Self.modified(extra) ?? Zip.seconds(date: date, time: time), method: method, flags: flags,
                kind: try Self.kind(name, maker: maker, attributes: attributes))
        }

        private static func modified(_ extra: ArraySlice<UInt8>) throws(ZipProblem) -> Int64? {
            guard var field = try ZipFields.extra(Zip.timeExtra, in: extra), field.rest.count >= 5,
                try field.number(UInt8.self) & 1 == 1
            else { return nil }
            return Int64(try field.number(Int32.self))
        }

        /// What the upper half of the attributes says counts where Unix has made it: 3, and 19 for macOS.
        private static func kind(
            _ name: [UInt8], maker: UInt16, attributes: UInt32
        ) throws(ZipProblem) -> ZipEntry.Kind {
            let mode = maker >> 8 == 3 || maker >> 8 == 19 ? attributes >> 16 : 0
            let isDirectory = name.last == UInt8(ascii: "/")
            switch mode & 0o170000 {
            case 0 where isDirectory, 0o040000 where isDirectory: return .directory
            case 0 where !isDirectory, 0o100000 where !isDirectory: return mode & 0o111 == 0 ? .file : .executable
            case 0o120000 where !isDirectory: return .link
            case 0o010000, 0o020000, 0o060000, 0o140000: throw .device
            default: throw .badType
            }
        }
    }

    /// A number that is in the extra field if it does not fit.
    static func widened(_ number: UInt32, _ wide: inout ZipFields?) throws(ZipProblem) -> UInt64 {
        guard number == .max else { return UInt64(number) }
        guard let field = try wide?.number(UInt64.self) else { throw .badRecord }
        return field
    }
}
