// Random bodies, made from the schema and not by the generated encoders: a third opinion on the encoding.

import Wire
import WireSchema

/// splitmix64: the same seed gives the same values on every machine.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

struct ValueMaker {
    let scope: [String: Declaration]
    var random: SeededGenerator

    mutating func body(_ fields: [Field]) -> [UInt8] {
        fields.reduce(into: []) { $0 += value($1.type) }
    }

    private mutating func value(_ type: TypeReference) -> [UInt8] {
        switch type {
        case .u8: integer(1)
        case .u16: integer(2)
        case .u32: integer(4)
        case .u64, .i64: integer(8)
        case .bool: [UInt8.random(in: 0...1, using: &random)]
        case .fixed(let length): (0..<length).map { _ in .random(in: 0...255, using: &random) }
        case .bytes(let low, let high): bytes(low, high)
        case .text(let low, let high): text(low, high)
        case .list(let element, let low, let high): list(element, low, high)
        case .option(let inner): Bool.random(using: &random) ? [1] + value(inner) : [0]
        case .fd: []
        case .named(let name): named(name)
        }
    }

    /// The extremes as often as what lies between.
    private mutating func integer(_ width: Int) -> [UInt8] {
        let word: UInt64 =
            switch Int.random(in: 0..<4, using: &random) {
            case 0: 0
            case 1: .max
            case 2: 1 << UInt64(8 * width - 1)
            default: random.next()
            }
        return big(word, width)
    }

    private func big(_ word: UInt64, _ width: Int) -> [UInt8] {
        (0..<width).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * (width - 1 - $0))) }
    }

    private mutating func count(_ low: Int, _ high: Int) -> Int {
        switch Int.random(in: 0..<8, using: &random) {
        case 0: low
        case 1: high
        default: .random(in: low...min(high, low + 40), using: &random)
        }
    }

    private mutating func bytes(_ low: Int, _ high: Int) -> [UInt8] {
        let count = count(low, high)
        let data = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
        return big(UInt64(count), EncodedSize.prefix(high)) + data
    }

    private mutating func text(_ low: Int, _ high: Int) -> [UInt8] {
        let count = count(low, high)
        var data: [UInt8] = []
        while data.count < count {
            let scalar = Unicode.Scalar(UInt32.random(in: 1...0x10FFFF, using: &random)) ?? "a"
            let utf8 = Array(String(scalar).utf8)
            data += data.count + utf8.count <= count ? utf8 : [UInt8(ascii: "a")]
        }
        return big(UInt64(count), EncodedSize.prefix(high)) + data
    }

    private mutating func list(_ element: TypeReference, _ low: Int, _ high: Int) -> [UInt8] {
        let count = count(low, high)
        return (0..<count).reduce(into: big(UInt64(count), 2)) { bytes, _ in bytes += value(element) }
    }

    private mutating func named(_ name: String) -> [UInt8] {
        switch scope[name]?.body {
        case .structure(let fields), .message(_, let fields): return body(fields)
        case .enumeration(let width, let cases):
            return big(cases.randomElement(using: &random)?.value ?? 0, width)
        case .union(let cases):
            guard let item = cases.randomElement(using: &random) else { return [] }
            return [UInt8(item.value)] + named(item.payload ?? "")
        case .operation, nil: return []
        }
    }
}
