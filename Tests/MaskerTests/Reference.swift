// The masker once more, as simple as it can be and without looking at the other: every place, every pattern.

enum Reference {
    /// What is out when all of `text` has been taken: everything but the longest end that is the beginning of a pattern
    /// and no whole one.
    static func masked(_ text: [UInt8], _ patterns: [[UInt8]], isOver: Bool = true) -> [UInt8] {
        masked(text, covered: covered(text, patterns), end: isOver ? nil : text.count - held(text, patterns))
    }

    /// What occurrences cover.
    static func covered(_ text: [UInt8], _ patterns: [[UInt8]]) -> [Bool] {
        var covered = [Bool](repeating: false, count: text.count)
        for pattern in patterns where pattern.count <= text.count {
            for start in 0...(text.count - pattern.count)
            where pattern.indices.allSatisfy({ text[start + $0] == pattern[$0] }) {
                for index in start..<(start + pattern.count) { covered[index] = true }
            }
        }
        return covered
    }

    static func masked(_ text: [UInt8], covered: [Bool], end: Int? = nil) -> [UInt8] {
        var output: [UInt8] = []
        for index in 0..<(end ?? text.count) {
            if !covered[index] {
                output.append(text[index])
            } else if index == 0 || !covered[index - 1] {
                output += Array("***".utf8)
            }
        }
        return output
    }

    static func held(_ text: [UInt8], _ patterns: [[UInt8]]) -> Int {
        var longest = 0
        for pattern in patterns {
            for length in stride(from: min(pattern.count - 1, text.count), to: longest, by: -1)
            where text.suffix(length) == pattern.prefix(length) {
                longest = length
                break
            }
        }
        return longest
    }

    /// All forms of a value, written from the standards and not from the masker.
    static func forms(_ value: [UInt8]) -> [[UInt8]] {
        var trimmed = value
        while let last = trimmed.last, last == 10 || last == 13 { trimmed.removeLast() }
        var all: [[UInt8]] = []
        for whole in trimmed == value ? [value] : [value, trimmed] where whole.count >= 4 {
            all += text(whole) + base64(whole) + [hex(whole, "0123456789abcdef"), hex(whole, "0123456789ABCDEF")]
        }
        let lines = trimmed.split(omittingEmptySubsequences: true) { $0 == 10 || $0 == 13 }.map { Array($0) }
        if trimmed.contains(10) || trimmed.contains(13) {
            for line in lines where line.count >= 8 { all += text(line) }
        }
        return Array(Set(all))
    }

    private static func text(_ value: [UInt8]) -> [[UInt8]] {
        var all = [value]
        for digits in ["0123456789abcdef", "0123456789ABCDEF"] {
            for (plain, space) in [("-._~", "%20"), ("-._~/", "%20"), ("-_.!~*'()", "%20"), ("*-._", "+")] {
                all.append(
                    value.flatMap { byte -> [UInt8] in
                        let scalar = Character(Unicode.Scalar(byte))
                        if byte < 128, scalar.isLetter || scalar.isNumber || plain.contains(scalar) { return [byte] }
                        if byte == 32 { return Array(space.utf8) }
                        return [37] + hex([byte], digits)
                    })
            }
        }
        return all + json(value)
    }

    static func hex(_ value: [UInt8], _ digits: String) -> [UInt8] {
        let digits = Array(digits.utf8)
        return value.flatMap { [digits[Int($0) / 16], digits[Int($0) % 16]] }
    }

    /// Encodes with every byte before and every byte behind, and keeps what all results have in common.
    static func base64(_ value: [UInt8]) -> [[UInt8]] {
        var all: [[UInt8]] = []
        for alphabet in ["+/", "-_"] {
            for alignment in 0..<3 {
                let one = encoded([UInt8](repeating: 0, count: alignment) + value + [0, 0, 0], alphabet)
                let other = encoded([UInt8](repeating: 255, count: alignment) + value + [255, 255, 255], alphabet)
                let first = zip(one, other).enumerated().first { $1.0 == $1.1 }?.offset ?? 0
                let last = (first..<one.count).first { one[$0] != other[$0] } ?? one.count
                all.append(Array(one[first..<last]))
                guard alignment == 0 else { continue }
                for width in [64, 76] where last > width {
                    let lines = stride(from: 0, to: last, by: width).map { Array(one[$0..<min($0 + width, last)]) }
                    all += lines.filter { $0.count >= 8 }
                }
            }
        }
        return all
    }

    static func encoded(_ bytes: [UInt8], _ last: String = "+/") -> [UInt8] {
        let alphabet = Array(("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789" + last).utf8)
        let bits = bytes.flatMap { byte in (0..<8).map { byte >> (7 - UInt8($0)) & 1 } }
        return stride(from: 0, to: bits.count, by: 6).map { start in
            alphabet[(0..<6).reduce(0) { $0 * 2 + (start + $1 < bits.count ? Int(bits[start + $1]) : 0) }]
        }
    }

    private static func json(_ value: [UInt8]) -> [[UInt8]] {
        // The tests' values are UTF-8.
        let text = String(decoding: value, as: UTF8.self)
        var all: [[UInt8]] = []
        for (isASCII, slash, html, short, digits) in [
            (false, false, false, true, "0123456789abcdef"), (false, true, false, true, "0123456789abcdef"),
            (true, false, false, true, "0123456789abcdef"), (true, true, false, true, "0123456789abcdef"),
            (false, false, true, true, "0123456789abcdef"), (false, false, true, false, "0123456789abcdef"),
            (false, false, false, true, "0123456789ABCDEF"), (true, false, false, true, "0123456789ABCDEF"),
        ] {
            var output: [UInt8] = []
            for scalar in text.unicodeScalars {
                let units = Array(String(scalar).utf16)
                let escaped = units.flatMap { unit in
                    Array("\\u".utf8) + hex([UInt8(unit >> 8), UInt8(unit & 255)], digits)
                }
                switch scalar {
                case "\"", "\\": output += [92, UInt8(scalar.value)]
                case "/" where slash: output += [92, 47]
                case "\n": output += [92, 110]
                case "\r": output += [92, 114]
                case "\t": output += [92, 116]
                case "\u{8}" where short: output += [92, 98]
                case "\u{c}" where short: output += [92, 102]
                case "<", ">", "&": output += html ? escaped : [UInt8(scalar.value)]
                default:
                    output += scalar.value < 32 || scalar.value > 127 && isASCII ? escaped : Array(String(scalar).utf8)
                }
            }
            all.append(output)
        }
        return all
    }
}
