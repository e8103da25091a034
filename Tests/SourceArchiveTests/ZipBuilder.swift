// Makes zip archives for tests, good ones and bad ones: every field can be set wrong, in one of its places.

import CZlib

struct ZipBuilder {
    struct Entry {
        var name: [UInt8]
        /// Unpacked.
        var data: [UInt8]
        /// As they stand there.
        var packed: [UInt8]
        var method: UInt16
        var flags: UInt16 = 1 << 11
        var size: UInt32
        var checksum: UInt32
        var maker: UInt16 = 3
        var mode: UInt32 = 0o100644
        var disk: UInt16 = 0
        var extra: [UInt8] = []
        /// Where the directory says that it is, if not where it is.
        var place: UInt32?
        var compressed: UInt32?
        /// What its own header says, if something else.
        var ownName: [UInt8]?
        var ownMethod: UInt16?
        var ownSize: UInt32?
        var ownCompressed: UInt32?
        var ownChecksum: UInt32?
        var ownExtra: [UInt8] = []
        var behind: [UInt8] = []
        var isListed = true

        init(_ name: [UInt8], _ data: [UInt8] = [], isPacked: Bool = false, mode: UInt32 = 0o100644) {
            (self.name, self.data, self.mode) = (name, data, mode)
            // Of gzip, without its head of ten bytes and its end of eight.
            packed = isPacked ? Array(Gzip.pack(data).dropFirst(10).dropLast(8)) : data
            method = isPacked ? 8 : 0
            size = UInt32(data.count)
            checksum = Self.checksum(data)
        }

        init(_ name: String, _ text: String = "", isPacked: Bool = false, mode: UInt32? = nil) {
            let mode = mode ?? (name.hasSuffix("/") ? 0o040755 : 0o100644)
            self.init(Array(name.utf8), Array(text.utf8), isPacked: isPacked, mode: mode)
        }

        static func checksum(_ data: [UInt8]) -> UInt32 {
            data.isEmpty
                ? 0
                : data.withUnsafeBufferPointer { UInt32(truncatingIfNeeded: crc32_z(0, $0.baseAddress, $0.count)) }
        }
    }

    /// What the record at the end says, if something else.
    var count: UInt16?
    var disks: UInt16 = 0
    var comment: [UInt8] = []
    var start: UInt32?
    var size: UInt32?
    /// Bytes between the directory and its end.
    var between: [UInt8] = []
    var entries: [Entry]

    init(_ entries: [Entry]) { self.entries = entries }

    static func little(_ fields: [(UInt64, Int)]) -> [UInt8] {
        fields.flatMap { number, count in (0..<count).map { UInt8(truncatingIfNeeded: number >> (8 * UInt64($0))) } }
    }

    var bytes: [UInt8] {
        var (bytes, directory): ([UInt8], [UInt8]) = ([], [])
        for entry in entries {
            let place = entry.place ?? UInt32(bytes.count)
            let (name, compressed) = (entry.ownName ?? entry.name, entry.compressed ?? UInt32(entry.packed.count))
            bytes += Self.little([
                (0x0403_4B50, 4), (20, 2), (UInt64(entry.flags), 2), (UInt64(entry.ownMethod ?? entry.method), 2),
                (0x576E_B1AA, 4), (UInt64(entry.ownChecksum ?? entry.checksum), 4),
                (UInt64(entry.ownCompressed ?? compressed), 4), (UInt64(entry.ownSize ?? entry.size), 4),
                (UInt64(name.count), 2), (UInt64(entry.ownExtra.count), 2),
            ])
            bytes += name + entry.ownExtra + entry.packed + entry.behind
            if !entry.isListed { continue }
            directory += Self.little([
                (0x0201_4B50, 4), (UInt64(entry.maker) << 8 | 20, 2), (20, 2), (UInt64(entry.flags), 2),
                (UInt64(entry.method), 2), (0x576E_B1AA, 4), (UInt64(entry.checksum), 4), (UInt64(compressed), 4),
                (UInt64(entry.size), 4), (UInt64(entry.name.count), 2), (UInt64(entry.extra.count), 2), (0, 2),
                (UInt64(entry.disk), 2), (0, 2), (UInt64(entry.mode) << 16, 4), (UInt64(place), 4),
            ])
            directory += entry.name + entry.extra
        }
        let count = UInt64(self.count ?? UInt16(entries.count { $0.isListed }))
        let start = UInt64(self.start ?? UInt32(bytes.count))
        let end = Self.little([
            (0x0605_4B50, 4), (UInt64(disks), 2), (0, 2), (count, 2), (count, 2),
            (UInt64(size ?? UInt32(directory.count)), 4), (start, 4), (UInt64(comment.count), 2),
        ])
        return bytes + directory + between + end + comment
    }

    /// Archives as others write them: Info-ZIP's `zip -y`, and Python's zipfile where it cannot go back.
    static let infoZip = hex(
        """
        504b03040a0000000000aab16e57cba6d23e110000001100000005000000612e74787468656c6c6f2c206172746966616374\
        730a504b03040a0000000000aab16e570000000000000000000000000400000062696e2f504b03040a0000000000aab16e57\
        885a6fe708000000080000000800000062696e2f6c696e6b2e2e2f612e747874504b03040a0000000000aab16e5700000000\
        00000000000000000900000062696e2f646565702f504b03040a0000000000aab16e570000000000000000000000000e0000\
        0062696e2f646565702f656d707479504b03040a0000000000aab16e571d9dfb040a0000000a0000000700000062696e2f72\
        756e23212f62696e2f73680a504b01021e030a0000000000aab16e57cba6d23e110000001100000005000000000000000100\
        0000a48100000000612e747874504b01021e030a0000000000aab16e57000000000000000000000000040000000000000000\
        001000ed413400000062696e2f504b01021e030a0000000000aab16e57885a6fe70800000008000000080000000000000000\
        000000ffa15600000062696e2f6c696e6b504b01021e030a0000000000aab16e570000000000000000000000000900000000\
        00000000001000ed418400000062696e2f646565702f504b01021e030a0000000000aab16e57000000000000000000000000\
        0e0000000000000000000000a481ab00000062696e2f646565702f656d707479504b01021e030a0000000000aab16e571d9d\
        fb040a0000000a000000070000000000000001000000ed89d700000062696e2f72756e504b05060000000006000600430100\
        00060100000000
        """)
    static let pythonStream = hex(
        """
        504b0304140008000800aab16e57000000000000000000000000090000006f75742f612e7478742b2e294a4dcc4d4d51281e\
        3a0c00504b0708510717a10e000000b4000000504b03042d0008000800aab16e5700000000ffffffffffffffff070014006f\
        75742f6269670100100000000000000000000000000000000000aba81805c40200504b0708132d431b07000000000000002c\
        01000000000000504b0304140008080800aab16e5700000000000000000000000002000000c3bccb4bcc4d0500504b070806\
        7e235e0600000004000000504b01021403140008000800aab16e57510717a10e000000b40000000900000000000000000000\
        008081000000006f75742f612e747874504b01022d032d0008000800aab16e57132d431b070000002c010000070000000000\
        000000000000ed81450000006f75742f626967504b01021403140008080800aab16e57067e235e0600000004000000020000\
        000000000000000000a4819d000000c3bc504b050600000000030003009c000000d30000000000
        """)

    private static func hex(_ text: String) -> [UInt8] {
        let digits = text.compactMap { $0.hexDigitValue }
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}
