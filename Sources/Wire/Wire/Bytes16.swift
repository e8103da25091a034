// bytes[16]: identifiers of runners, nonces. Two words: no allocation, cheap to hash.

/// Sixteen bytes. Written as 32 lower-case hex digits.
package struct Bytes16: Hashable, Sendable, CustomStringConvertible {
    /// The first eight bytes, big-endian.
    package let high: UInt64
    /// The last eight bytes, big-endian.
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// nil unless there are exactly 16.
    package init?(bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        self.init(high: Hex.word(bytes[0..<8]), low: Hex.word(bytes[8..<16]))
    }

    /// nil unless these are exactly 32 lower-case hex digits: one value, one spelling.
    package init?(hex: String) {
        guard let bytes = Hex.decode(hex) else { return nil }
        self.init(bytes: bytes)
    }

    package var array: [UInt8] { Hex.bytes(high) + Hex.bytes(low) }

    package var hex: String { Hex.encode(array) }

    package var description: String { hex }

    /// From the system's generator: unguessable.
    package static func random() -> Bytes16 {
        Bytes16(high: .random(in: .min ... .max), low: .random(in: .min ... .max))
    }
}
