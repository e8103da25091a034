// The forms of one value. Each writes straight into the patterns' memory: no form of a secret is ever in an array.

extension Patterns {
    /// The forms that differ from the value only where a character is special: for whole values and for lines.
    func addText(_ value: UnsafeBufferPointer<UInt8>) {
        begin()
        for byte in value { put(byte) }
        end()
        for digits in [Digits.upper, Digits.lower] {
            // RFC 3986; the same and "/" (Python's quote); encodeURIComponent; application/x-www-form-urlencoded.
            addPercent(value, plain: "-._~", digits, isForm: false)
            addPercent(value, plain: "-._~/", digits, isForm: false)
            addPercent(value, plain: "-_.!~*'()", digits, isForm: false)
            addPercent(value, plain: "*-._", digits, isForm: true)
        }
        for style in JSONStyle.all { addJSON(value, style) }
    }

    // MARK: base64

    /// RFC 4648, without the characters that also depend on what stands before or behind the value.
    func addBase64(_ value: UnsafeBufferPointer<UInt8>) {
        for isURL in [false, true] {
            for alignment in 0..<3 {
                begin()
                for index in Self.wholeCharacters(value.count, alignment) {
                    put(Self.base64(value, 6 * index - 8 * alignment, isURL))
                }
                end()
            }
            addWrapped(value, isURL)
        }
    }

    /// `base64` ends a line after 76 characters, `openssl base64` after 64: each line of what they print.
    private func addWrapped(_ value: UnsafeBufferPointer<UInt8>, _ isURL: Bool) {
        let whole = Self.wholeCharacters(value.count, 0)
        for width in [64, 76] where whole.count > width {
            for start in stride(from: 0, to: whole.count, by: width) {
                let line = start..<min(start + width, whole.count)
                guard line.count >= Self.leastLine else { continue }
                begin()
                for index in line { put(Self.base64(value, 6 * index, isURL)) }
                end()
            }
        }
    }

    /// Which characters have all of their six bits in a value that begins at byte `alignment`.
    private static func wholeCharacters(_ count: Int, _ alignment: Int) -> Range<Int> {
        let first = (8 * alignment + 5) / 6
        return first..<max(first, 8 * (alignment + count) / 6)
    }

    /// The character for the six bits from `bit` on.
    private static func base64(_ value: UnsafeBufferPointer<UInt8>, _ bit: Int, _ isURL: Bool) -> UInt8 {
        let index = bit >> 3
        let next = index + 1 < value.count ? value[index + 1] : 0
        let pair = UInt16(value[index]) << 8 | UInt16(next)
        let six = UInt8(truncatingIfNeeded: pair >> UInt16(10 - bit & 7)) & 63
        switch six {
        case 0..<26: return UInt8(ascii: "A") + six
        case 26..<52: return UInt8(ascii: "a") + (six - 26)
        case 52..<62: return UInt8(ascii: "0") + (six - 52)
        case 62: return UInt8(ascii: isURL ? "-" : "+")
        default: return UInt8(ascii: isURL ? "_" : "/")
        }
    }

    // MARK: hexadecimal

    func addHex(_ value: UnsafeBufferPointer<UInt8>) {
        for digits in [Digits.lower, Digits.upper] {
            begin()
            for byte in value { put(byte, digits) }
            end()
        }
    }

    private func put(_ byte: UInt8, _ digits: Digits) {
        put(digits[byte >> 4])
        put(digits[byte & 15])
    }

    // MARK: URL

    private func addPercent(
        _ value: UnsafeBufferPointer<UInt8>, plain: StaticString, _ digits: Digits, isForm: Bool
    ) {
        let plain = UnsafeBufferPointer(start: plain.utf8Start, count: plain.utf8CodeUnitCount)
        begin()
        for byte in value {
            if Self.isAlphanumeric(byte) || plain.contains(byte) {
                put(byte)
            } else if isForm, byte == UInt8(ascii: " ") {
                put(UInt8(ascii: "+"))
            } else {
                put(UInt8(ascii: "%"))
                put(byte, digits)
            }
        }
        end()
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: false
        }
    }
}

/// Hexadecimal digits of one case.
struct Digits {
    static let lower = Digits(letter: UInt8(ascii: "a"))
    static let upper = Digits(letter: UInt8(ascii: "A"))
    private let letter: UInt8

    private init(letter: UInt8) {
        self.letter = letter
    }

    subscript(_ value: UInt8) -> UInt8 { value < 10 ? UInt8(ascii: "0") + value : letter + (value - 10) }
}
