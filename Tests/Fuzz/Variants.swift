// Inputs that are made from an input. Between two of its own libFuzzer has more to do than a small parser, so each of
// them stands for others, too: they follow from its bytes, and what goes wrong with one goes wrong again with it.

struct Variants {
    private let input: [UInt8]
    private var state: UInt64

    /// What documents are made of, beside any byte.
    private static let pieces: [[UInt8]] = [
        "\"", "\\", "\\u0000", "\\ud800", "{", "}", "[", "]", ":", ",", "null", "true", "false", "0", "-1", "1e400",
        "18446744073709551616", "\"id\":", "\"action\":", "\"\"", "\n", "\u{0}", "\u{7F}", "\u{202E}", "../",
    ].map { Array($0.utf8) }

    init(of input: ArraySlice<UInt8>) {
        self.input = Array(input)
        // FNV-1a.
        state = input.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }

    mutating func next() -> [UInt8] {
        var bytes = input
        for _ in 0...below(4) where !bytes.isEmpty { change(&bytes) }
        return bytes
    }

    private mutating func change(_ bytes: inout [UInt8]) {
        let place = below(bytes.count)
        let piece = place..<min(place + 1 + below(24), bytes.count)
        switch below(8) {
        case 0: bytes[place] ^= 1 << UInt8(below(8))
        case 1: bytes[place] = UInt8(below(256))
        case 2: bytes.removeSubrange(piece)
        case 3: bytes.insert(contentsOf: Array(bytes[piece]), at: below(bytes.count))
        case 4: bytes.removeLast(bytes.count - place)
        case 5: bytes.replaceSubrange(piece, with: Self.pieces[below(Self.pieces.count)])
        case 6: bytes.insert(contentsOf: Self.pieces[below(Self.pieces.count)], at: place)
        default: bytes.replaceSubrange(place..<place, with: bytes.suffix(below(64)))
        }
    }

    /// SplitMix64, without its bias of 2^-50 taken out.
    private mutating func below(_ bound: Int) -> Int {
        state = state &+ 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return Int((mixed ^ mixed >> 31) >> 8) % bound
    }
}
