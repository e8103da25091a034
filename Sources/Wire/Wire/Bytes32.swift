// bytes[32]: SHA-256 digests. Four words: no allocation, cheap to hash.

/// Thirty-two bytes. Written as 64 lower-case hex digits.
package struct Bytes32: Hashable, Sendable, CustomStringConvertible {
    private let a: UInt64
    private let b: UInt64
    private let c: UInt64
    private let d: UInt64

    /// The words in the order of the bytes, each big-endian.
    package init(_ a: UInt64, _ b: UInt64, _ c: UInt64, _ d: UInt64) {
        self.a = a
        self.b = b
        self.c = c
        self.d = d
    }

    package var words: (UInt64, UInt64, UInt64, UInt64) { (a, b, c, d) }

    /// nil unless there are exactly 32.
    package init?(bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        self.init(
            Hex.word(bytes[0..<8]), Hex.word(bytes[8..<16]), Hex.word(bytes[16..<24]), Hex.word(bytes[24..<32]))
    }

    /// nil unless these are exactly 64 lower-case hex digits: one value, one spelling.
    package init?(hex: String) {
        guard let bytes = Hex.decode(hex) else { return nil }
        self.init(bytes: bytes)
    }

    package var array: [UInt8] { Hex.bytes(a) + Hex.bytes(b) + Hex.bytes(c) + Hex.bytes(d) }

    package var hex: String { Hex.encode(array) }

    package var description: String { hex }

    /// From the system's generator: unguessable.
    package static func random() -> Bytes32 {
        Bytes32(
            .random(in: .min ... .max), .random(in: .min ... .max), .random(in: .min ... .max),
            .random(in: .min ... .max))
    }
}
