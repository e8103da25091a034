// A value inside a JSON string, as the usual libraries write it.

/// How a library escapes what the standard leaves open.
struct JSONStyle {
    /// Escapes every character beyond ASCII (Python's json).
    var isASCII = false
    /// Escapes "/" (PHP, older Foundation).
    var escapesSlash = false
    /// Escapes "<", ">" and "&" (Go).
    var isHTML = false
    /// Writes \b and \f (JavaScript, Python), and not \u0008 and \u000c (older Go).
    var hasShortForms = true
    var digits = Digits.lower

    static let all = [
        JSONStyle(), JSONStyle(escapesSlash: true), JSONStyle(isASCII: true),
        JSONStyle(isASCII: true, escapesSlash: true), JSONStyle(isHTML: true),
        JSONStyle(isHTML: true, hasShortForms: false), JSONStyle(digits: .upper),
        JSONStyle(isASCII: true, digits: .upper),
    ]
}

extension Patterns {
    func addJSON(_ value: UnsafeBufferPointer<UInt8>, _ style: JSONStyle) {
        begin()
        var index = 0
        while index < value.count {
            let (scalar, length) = Self.scalar(value, at: index)
            if length > 1, style.isASCII {
                putUnits(of: scalar, style)
            } else if length > 1 {
                for offset in 0..<length { put(value[index + offset]) }
            } else {
                putEscaped(value[index], style)
            }
            index += length
        }
        end()
    }

    private func putEscaped(_ byte: UInt8, _ style: JSONStyle) {
        if let letter = Self.shortForm(byte, style) {
            put(UInt8(ascii: "\\"))
            put(letter)
        } else if byte < 0x20 {
            putUnit(UInt16(byte), style)
        } else if style.isHTML, byte == UInt8(ascii: "<") || byte == UInt8(ascii: ">") || byte == UInt8(ascii: "&") {
            putUnit(UInt16(byte), style)
        } else {
            put(byte)
        }
    }

    private static func shortForm(_ byte: UInt8, _ style: JSONStyle) -> UInt8? {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): byte
        case UInt8(ascii: "/") where style.escapesSlash: byte
        case UInt8(ascii: "\n"): UInt8(ascii: "n")
        case UInt8(ascii: "\r"): UInt8(ascii: "r")
        case UInt8(ascii: "\t"): UInt8(ascii: "t")
        case 8 where style.hasShortForms: UInt8(ascii: "b")
        case 12 where style.hasShortForms: UInt8(ascii: "f")
        default: nil
        }
    }

    private func putUnits(of scalar: UInt32, _ style: JSONStyle) {
        guard scalar > 0xFFFF else { return putUnit(UInt16(scalar), style) }
        putUnit(UInt16(0xD800 + (scalar - 0x10000) >> 10), style)
        putUnit(UInt16(0xDC00 + (scalar - 0x10000) & 0x3FF), style)
    }

    private func putUnit(_ unit: UInt16, _ style: JSONStyle) {
        put(UInt8(ascii: "\\"))
        put(UInt8(ascii: "u"))
        for shift in [12, 8, 4, 0] as [UInt16] { put(style.digits[UInt8(unit >> shift & 15)]) }
    }

    /// The UTF-8 sequence that begins at `index`; one byte where there is none.
    private static func scalar(_ value: UnsafeBufferPointer<UInt8>, at index: Int) -> (UInt32, length: Int) {
        let first = value[index]
        let length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1
        guard length > 1, index + length <= value.count else { return (UInt32(first), 1) }
        var scalar = UInt32(first) & (0x7F >> UInt32(length))
        for offset in 1..<length {
            guard value[index + offset] & 0xC0 == 0x80 else { return (UInt32(first), 1) }
            scalar = scalar << 6 | UInt32(value[index + offset] & 0x3F)
        }
        let least: [UInt32] = [0x80, 0x800, 0x10000]
        guard scalar >= least[length - 2], scalar <= 0x10FFFF, !(0xD800...0xDFFF).contains(scalar) else {
            return (UInt32(first), 1)
        }
        return (scalar, length)
    }
}
