// Makes archives for tests, good ones and bad ones, block by block.

/// An archive under construction.
package struct TarBuilder {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    /// One header block; every field can be set wrong.
    package static func header(
        _ name: [UInt8], type: Character = "0", size: UInt64 = 0, mode: String = "0000644", link: [UInt8] = [],
        prefix: [UInt8] = [], magic: String = "ustar\u{0}00", sizeField: [UInt8]? = nil, checksum: String? = nil
    ) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ bytes: [UInt8], at start: Int) {
            for (offset, byte) in bytes.enumerated() { block[start + offset] = byte }
        }
        put(Array(name.prefix(100)), at: 0)
        put(Array(mode.utf8), at: 100)
        put(Array("0001750".utf8), at: 108)
        put(Array("0001750".utf8), at: 116)
        put(sizeField ?? octal(size, 11), at: 124)
        put(octal(1_700_000_000, 11), at: 136)
        put([UInt8](repeating: 32, count: 8), at: 148)
        put(Array(String(type).utf8), at: 156)
        put(Array(link.prefix(100)), at: 157)
        put(Array(magic.utf8), at: 257)
        put(Array(prefix.prefix(155)), at: 345)
        let sum = block.reduce(UInt64(0)) { $0 + UInt64($1) }
        put(checksum.map { Array($0.utf8) } ?? octal(sum, 6) + [0, 32], at: 148)
        return block
    }

    package static func octal(_ value: UInt64, _ width: Int) -> [UInt8] {
        let digits = Array(String(value, radix: 8).utf8)
        return [UInt8](repeating: 48, count: max(0, width - digits.count)) + digits
    }

    package static func padded(_ data: [UInt8]) -> [UInt8] {
        data + [UInt8](repeating: 0, count: (512 - data.count % 512) % 512)
    }

    /// "LENGTH key=value\n", the length counting itself.
    package static func pax(_ key: String, _ value: [UInt8]) -> [UInt8] {
        let body = Array(" \(key)=".utf8) + value + [10]
        var length = body.count + 1
        while String(length).utf8.count + body.count != length { length = String(length).utf8.count + body.count }
        return Array(String(length).utf8) + body
    }

    package mutating func raw(_ more: [UInt8]) { bytes += more }

    package mutating func file(_ name: String, _ content: [UInt8] = [], mode: String = "0000644") {
        raw(Self.header(Array(name.utf8), size: UInt64(content.count), mode: mode) + Self.padded(content))
    }

    package mutating func directory(_ name: String) { raw(Self.header(Array(name.utf8), type: "5", mode: "0000755")) }

    package mutating func symbolicLink(_ name: String, to target: String) {
        raw(Self.header(Array(name.utf8), type: "2", link: Array(target.utf8)))
    }

    package mutating func hardLink(_ name: String, to target: String) {
        raw(Self.header(Array(name.utf8), type: "1", link: Array(target.utf8)))
    }

    /// An extended header ("x", "g") or a GNU long name ("L", "K").
    package mutating func metadata(_ type: Character, _ data: [UInt8]) {
        raw(Self.header(Array("metadata".utf8), type: type, size: UInt64(data.count)) + Self.padded(data))
    }

    /// Two blocks of zeros.
    package mutating func end() { raw([UInt8](repeating: 0, count: 1024)) }

    package static func archive(_ build: (inout TarBuilder) -> Void) -> [UInt8] {
        var tar = TarBuilder()
        build(&tar)
        tar.end()
        return tar.bytes
    }
}
