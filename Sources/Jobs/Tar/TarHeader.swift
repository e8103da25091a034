// One 512-byte header block of a tar archive (POSIX.1-2017 "ustar Interchange Format"). Read by TarReader only.

/// The fields of a header block that matter here.
struct TarHeader {
    static let size = 512

    /// prefix and name joined, as in the block; extended headers may replace it.
    let name: [UInt8]
    let linkName: [UInt8]
    let size: UInt64
    let mode: UInt64
    let modified: Int64
    let type: UInt8

    /// - Parameter block: 512 bytes that are not all zero.
    /// - Throws: `.badChecksum`, `.notUstar`, `.badNumber`.
    init(_ block: [UInt8]) throws(TarProblem) {
        let stated = try? TarHeader.number(block[148..<156], "checksum")
        // The sum of all bytes, its own field taken as blanks.
        let sum = TarHeader.sum(block[..<148]) + TarHeader.sum(block[156...]) + 8 * 0x20
        guard stated == sum else { throw .badChecksum }
        let magic = block[257..<263]
        let isPosix = magic.elementsEqual("ustar\0".utf8)
        guard isPosix || magic.elementsEqual("ustar ".utf8) else { throw .notUstar }
        let short = TarHeader.text(block[0..<100])
        // GNU's own format keeps other things where POSIX has the prefix.
        let prefix = isPosix ? TarHeader.text(block[345..<500]) : []
        name = prefix.isEmpty ? short : prefix + [UInt8(ascii: "/")] + short
        linkName = TarHeader.text(block[157..<257])
        size = try TarHeader.number(block[124..<136], "size")
        mode = try TarHeader.number(block[100..<108], "mode")
        modified = Int64(clamping: (try? TarHeader.number(block[136..<148], "mtime")) ?? 0)
        type = block[156]
    }

    private static func sum(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reduce(0) { $0 + UInt64($1) }
    }

    /// A text field ends at its first NUL or at its end.
    private static func text(_ field: ArraySlice<UInt8>) -> [UInt8] {
        Array(field.prefix { $0 != 0 })
    }

    /// Octal digits between blanks and a NUL or blank; or, with the top bit set, GNU's base 256, of which only
    /// values that fit 63 bits are taken.
    static func number(_ field: ArraySlice<UInt8>, _ name: String) throws(TarProblem) -> UInt64 {
        if field.first == 0x80 {
            let digits = field.dropFirst().drop(while: { $0 == 0 })
            guard digits.count <= 8 else { throw .badNumber(name) }
            let value = digits.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            guard value <= UInt64(Int64.max) else { throw .badNumber(name) }
            return value
        }
        let blank: (UInt8) -> Bool = { $0 == UInt8(ascii: " ") }
        let digits = field.drop(while: blank).prefix(while: { !blank($0) && $0 != 0 })
        let rest = field[digits.endIndex...]
        guard rest.allSatisfy({ blank($0) || $0 == 0 }) else { throw .badNumber(name) }
        var value: UInt64 = 0
        for digit in digits {
            guard (0x30...0x37).contains(digit) else { throw .badNumber(name) }
            value = value << 3 | UInt64(digit - 0x30)
        }
        return value
    }
}
