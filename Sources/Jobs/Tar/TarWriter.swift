// TarWriter: archives that TarReader takes, in the one form in which we write them: ustar, with a pax header where
// something does not fit. Owners, names of owners and odd modes are left out, so that one tree is one archive.

package struct TarWriter: TarSink {
    /// What was written and not taken yet.
    private var bytes: [UInt8] = []
    /// Zeros that follow the data of the file at hand.
    private var padding = 0

    package init() {}

    /// Takes out what was written.
    package mutating func takeAll() -> [UInt8] {
        defer { bytes.removeAll(keepingCapacity: true) }
        return bytes
    }

    package mutating func directory(_ path: TarPath) {
        if path.components.isEmpty { return }
        entry(path.bytes + [UInt8(ascii: "/")], type: "5", mode: 0o755)
    }

    package mutating func beginFile(_ file: TarFile) {
        let mode: UInt64 = file.isExecutable ? 0o755 : 0o644
        entry(file.path.bytes, type: "0", mode: mode, size: file.size, modified: file.modified)
        padding = Int((512 - file.size % 512) % 512)
    }

    package mutating func write(_ data: ArraySlice<UInt8>) { bytes += data }

    package mutating func endFile() { bytes += [UInt8](repeating: 0, count: padding) }

    package mutating func symbolicLink(_ path: TarPath, target: [UInt8]) {
        entry(path.bytes, type: "2", mode: 0o777, link: target)
    }

    package mutating func hardLink(_ path: TarPath, to existing: TarPath) {
        entry(path.bytes, type: "1", mode: 0o644, link: existing.bytes)
    }

    /// The mark of the end.
    package mutating func finish() { bytes += [UInt8](repeating: 0, count: 1024) }

    private mutating func entry(
        _ name: [UInt8], type: Unicode.Scalar, mode: UInt64, size: UInt64 = 0, modified: Int64 = 0, link: [UInt8] = []
    ) {
        var records: [UInt8] = []
        let place = Self.place(name)
        if place == nil { records += Self.record("path", name) }
        if link.count > 100 { records += Self.record("linkpath", link) }
        if size > Self.largest { records += Self.record("size", Array(String(size).utf8)) }
        if !records.isEmpty {
            header(Array("pax".utf8), [], type: "x", mode: 0o644, size: UInt64(records.count), modified: 0, link: [])
            bytes += records + [UInt8](repeating: 0, count: (512 - records.count % 512) % 512)
        }
        let (short, prefix) = place ?? (Array(name.prefix(100)), [])
        header(
            short, prefix, type: type, mode: mode, size: min(size, Self.largest), modified: modified,
            link: Array(link.prefix(100)))
    }

    /// The largest number of eleven octal digits.
    private static let largest: UInt64 = 1 << 33 - 1

    /// A name of at most 100 bytes and a prefix of at most 155, cut at a slash; nil if there is no such cut.
    private static func place(_ name: [UInt8]) -> (name: [UInt8], prefix: [UInt8])? {
        if name.count <= 100 { return (name, []) }
        let slash = UInt8(ascii: "/")
        // The slash behind a directory's name is no place to cut at.
        let cut = name.indices.dropLast().last { name[$0] == slash && $0 <= 155 && $0 > 0 }
        guard let cut, name.count - cut - 1 <= 100 else { return nil }
        return (Array(name[(cut + 1)...]), Array(name[..<cut]))
    }

    /// `LENGTH KEY=VALUE\n`, the length counting itself.
    private static func record(_ key: String, _ value: [UInt8]) -> [UInt8] {
        let body = Array(" \(key)=".utf8) + value + [UInt8(ascii: "\n")]
        var length = body.count + 1
        while String(length).utf8.count + body.count > length { length += 1 }
        return Array(String(length).utf8) + body
    }

    private mutating func header(
        _ name: [UInt8], _ prefix: [UInt8], type: Unicode.Scalar, mode: UInt64, size: UInt64, modified: Int64,
        link: [UInt8]
    ) {
        var block = [UInt8](repeating: 0, count: TarHeader.size)
        func put(_ field: [UInt8], at start: Int) { block.replaceSubrange(start..<(start + field.count), with: field) }
        put(name, at: 0)
        put(Self.octal(mode, 7), at: 100)
        put(Self.octal(0, 7), at: 108)
        put(Self.octal(0, 7), at: 116)
        put(Self.octal(size, 11), at: 124)
        put(Self.octal(min(UInt64(max(modified, 0)), Self.largest), 11), at: 136)
        put([UInt8](repeating: UInt8(ascii: " "), count: 8), at: 148)
        put([UInt8(ascii: type)], at: 156)
        put(link, at: 157)
        put(Array("ustar\u{0}00".utf8), at: 257)
        put(prefix, at: 345)
        put(Self.octal(block.reduce(0) { $0 + UInt64($1) }, 6) + [0], at: 148)
        bytes += block
    }

    private static func octal(_ number: UInt64, _ width: Int) -> [UInt8] {
        let digits = Array(String(number, radix: 8).utf8)
        return [UInt8](repeating: UInt8(ascii: "0"), count: max(0, width - digits.count)) + digits
    }
}
