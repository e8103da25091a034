// Reads JSON the slow way, to see what a lenient parser would swallow: keys that come twice in one object, whatever
// their case or their escapes.

enum KeyScanner {
    struct Unreadable: Error {}

    /// The keys, in lower case, that some object has more than once.
    static func repeated(_ bytes: [UInt8]) throws -> Set<String> {
        var scan = Scan(rest: bytes[...])
        try scan.value()
        guard scan.rest.isEmpty else { throw Unreadable() }
        return scan.found
    }

    private struct Scan {
        var rest: ArraySlice<UInt8>
        var found: Set<String> = []

        mutating func take(_ byte: UInt8) -> Bool {
            guard rest.first == byte else { return false }
            rest.removeFirst()
            return true
        }

        mutating func value() throws {
            if take(0x7B) {  // {
                var keys: Set<String> = []
                if take(0x7D) { return }
                repeat {
                    let key = try text().lowercased()
                    if !keys.insert(key).inserted { found.insert(key) }
                    guard take(0x3A) else { throw Unreadable() }
                    try value()
                } while take(0x2C)
                guard take(0x7D) else { throw Unreadable() }
            } else if take(0x5B) {  // [
                if take(0x5D) { return }
                repeat { try value() } while take(0x2C)
                guard take(0x5D) else { throw Unreadable() }
            } else if rest.first == 0x22 {
                _ = try text()
            } else {
                let word = rest.prefix { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
                guard !word.isEmpty else { throw Unreadable() }
                rest = rest.dropFirst(word.count)
            }
        }

        mutating func text() throws -> String {
            guard take(0x22) else { throw Unreadable() }
            var bytes: [UInt8] = []
            while let byte = rest.popFirst() {
                if byte == 0x22 { return String(decoding: bytes, as: UTF8.self) }
                guard byte == 0x5C else {
                    bytes.append(byte)
                    continue
                }
                guard let escape = rest.popFirst() else { throw Unreadable() }
                guard escape == 0x75 else {
                    bytes.append(escape)
                    continue
                }
                let digits = String(decoding: rest.prefix(4), as: UTF8.self)
                guard let code = UInt32(digits, radix: 16), let scalar = Unicode.Scalar(code) else {
                    throw Unreadable()
                }
                bytes += String(Character(scalar)).utf8
                rest = rest.dropFirst(4)
            }
            throw Unreadable()
        }
    }
}
