// JSONReader: from a JSON body to a SpecValue, in one pass over its bytes. Anybody may send a body, so what it costs is
// bounded before it is paid: the depth, the number of values that are kept, the digits of a number. It keeps every key,
// also one that is given twice, and where everything stands: which of the two was meant is not for a parser to decide.
//
// Whoever wants little of much names a shape: what is not in it is checked and passed over, at no memory cost.

/// RFC 8259, UTF-8 only. Each value is read once; nothing is looked at again when it turns out to be wrong.
package struct JSONReader {
    /// Why a body was not read, and where.
    package enum Refused: Error, Equatable, Sendable {
        case syntax(String, Place)
        case tooDeep(Place)
        case tooMany
        /// A text that is wanted, or a key, is longer than any that was expected.
        case tooLong(Place)
        /// A key of the shape is there twice, or once more in other letters: two readers could read two things.
        case twice(Place)
    }

    /// What a body may cost.
    package struct Bounds: Sendable {
        package let depth: Int
        /// Values that are kept.
        package let values: Int
        /// The bytes of a text.
        package let text: Int

        package init(depth: Int, values: Int, text: Int = .max) {
            self.depth = depth
            self.values = values
            self.text = text
        }
    }

    /// More digits than any number that is a setting of something.
    private static let numberBytes = 64

    private let bytes: [UInt8]
    private let bounds: Bounds
    private var at = 0
    private var line = 1
    private var lineStart = 0
    /// Bytes of this line that continue a character.
    private var continuations = 0
    private var valuesLeft: Int

    private init(_ bytes: [UInt8], _ bounds: Bounds) {
        self.bytes = bytes
        self.bounds = bounds
        valuesLeft = bounds.values
    }

    /// One document and nothing behind it. What is passed over is null in the answer, and not in any map.
    package static func document(
        _ bytes: [UInt8], bounds: Bounds, keeping shape: JSONShape = .whole
    ) throws(Refused) -> SpecValue {
        var reader = JSONReader(bytes, bounds)
        try reader.checkUTF8()
        reader.skipBlanks()
        let value = try reader.value(depth: 0, shape)
        reader.skipBlanks()
        if reader.at < bytes.count { throw reader.syntax("something follows the end") }
        return value
    }

    private mutating func value(depth: Int, _ shape: JSONShape) throws(Refused) -> SpecValue {
        let place = place
        guard let first = peek else { throw syntax("it ends where a value is expected") }
        if shape.isKept {
            if valuesLeft == 0 { throw .tooMany }
            valuesLeft -= 1
        }
        switch first {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            if depth >= bounds.depth { throw .tooDeep(place) }
            at += 1
            let isMap = first == UInt8(ascii: "{")
            let content = isMap ? try map(depth: depth + 1, shape) : try list(depth: depth + 1, shape)
            return SpecValue(content, place: place)
        case UInt8(ascii: "\""): return SpecValue(.string(try string(shape.isKept)), place: place)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            return SpecValue(try number(shape.isKept), place: place)
        case UInt8(ascii: "t"): return SpecValue(try word("true", .bool(true)), place: place)
        case UInt8(ascii: "f"): return SpecValue(try word("false", .bool(false)), place: place)
        case UInt8(ascii: "n"): return SpecValue(try word("null", .null), place: place)
        default: throw syntax("a value is expected")
        }
    }

    private mutating func map(depth: Int, _ shape: JSONShape) throws(Refused) -> SpecValue.Content {
        var entries: [SpecValue.Entry] = []
        var seen: Set<Int> = []
        skipBlanks()
        if take("}") { return .map(entries) }
        repeat {
            skipBlanks()
            let place = place
            guard peek == UInt8(ascii: "\"") else { throw syntax("a key in quotes is expected") }
            let key = try string(shape.readsKeys)
            skipBlanks()
            guard take(":") else { throw syntax("':' is expected behind a key") }
            skipBlanks()
            let part = shape.part(key)
            if let index = part.index, !part.isExact || !seen.insert(index).inserted { throw .twice(place) }
            let value = try value(depth: depth, part.shape)
            if part.shape.isKept { entries.append(SpecValue.Entry(key: key, place: place, value: value)) }
            skipBlanks()
        } while take(",")
        guard take("}") else { throw syntax("',' or '}' is expected") }
        return .map(entries)
    }

    private mutating func list(depth: Int, _ shape: JSONShape) throws(Refused) -> SpecValue.Content {
        let inner: JSONShape = shape.isWhole ? .whole : .nothing
        var items: [SpecValue] = []
        skipBlanks()
        if take("]") { return .list(items) }
        repeat {
            skipBlanks()
            let item = try value(depth: depth, inner)
            if inner.isKept { items.append(item) }
            skipBlanks()
        } while take(",")
        guard take("]") else { throw syntax("',' or ']' is expected") }
        return .list(items)
    }

    private mutating func word(_ word: String, _ content: SpecValue.Content) throws(Refused) -> SpecValue.Content {
        guard bytes[at...].starts(with: word.utf8) else { throw syntax("a value is expected") }
        at += word.utf8.count
        return content
    }

    // MARK: numbers

    /// A number with a fraction or an exponent is none of the whole numbers, as in YAML.
    private mutating func number(_ isKept: Bool) throws(Refused) -> SpecValue.Content {
        let start = at
        _ = take("-")
        let leading = at
        let whole = digits()
        if whole == 0 || whole > 1 && bytes[leading] == UInt8(ascii: "0") { throw syntax("this is not a number") }
        var isWhole = true
        if take(".") {
            isWhole = false
            if digits() == 0 { throw syntax("digits are expected behind '.'") }
        }
        if take("e") || take("E") {
            isWhole = false
            if !take("+") { _ = take("-") }
            if digits() == 0 { throw syntax("digits are expected in an exponent") }
        }
        guard at - start <= Self.numberBytes else { throw syntax("a number has more than \(Self.numberBytes) digits") }
        if !isKept { return .null }
        let text = String(decoding: bytes[start..<at], as: UTF8.self)
        if isWhole, let number = Int64(text) { return .integer(number) }
        guard let number = Double(text), number.isFinite else { throw syntax("a number is too large") }
        return .float(number)
    }

    private mutating func digits() -> Int {
        let start = at
        while let byte = peek, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { at += 1 }
        return at - start
    }

    // MARK: texts

    /// Empty if it is not kept.
    private mutating func string(_ isKept: Bool) throws(Refused) -> String {
        let place = place
        at += 1
        var text: [UInt8] = []
        while let byte = peek, byte != UInt8(ascii: "\"") {
            if byte < 0x20 { throw syntax("a control character stands in a text; write it as \\u00XX") }
            at += 1
            if byte == UInt8(ascii: "\\") {
                try escape(into: &text)
                if !isKept { text.removeAll(keepingCapacity: true) }
            } else {
                if byte & 0xC0 == 0x80 { continuations += 1 }
                if isKept { text.append(byte) }
            }
            if text.count > bounds.text { throw .tooLong(place) }
        }
        guard take("\"") else { throw syntax("a text does not end") }
        // All bytes were seen to be UTF-8.
        return String(decoding: text, as: UTF8.self)
    }

    private mutating func checkUTF8() throws(Refused) {
        do throws(UTF8.ValidationError) {
            _ = try UTF8Span(validating: bytes.span)
        } catch {
            for byte in bytes[..<error.byteOffsets.lowerBound] {
                at += 1
                if byte & 0xC0 == 0x80 { continuations += 1 }
                if byte == UInt8(ascii: "\n") { (line, lineStart, continuations) = (line + 1, at, 0) }
            }
            throw syntax("this is not UTF-8")
        }
    }

    private mutating func escape(into text: inout [UInt8]) throws(Refused) {
        guard let letter = peek else { throw syntax("a text does not end") }
        at += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(letter)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            // Every scalar has a form in UTF-8.
            text.append(contentsOf: UTF8.encode(try scalar()) ?? UTF8.encodedReplacementCharacter)
        default: throw syntax("no such escape; JSON has \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\uXXXX")
        }
    }

    /// What stands behind `\u`: one unit, or a pair of them. Half a pair is no character.
    private mutating func scalar() throws(Refused) -> Unicode.Scalar {
        let first = try unit()
        var value = first
        if (0xD800..<0xDC00).contains(first), take("\\") {
            guard take("u") else { throw syntax("\\u has half of a character") }
            let second = try unit()
            guard (0xDC00..<0xE000).contains(second) else { throw syntax("\\u has half of a character") }
            value = 0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(value) else { throw syntax("\\u has half of a character") }
        return scalar
    }

    private mutating func unit() throws(Refused) -> UInt32 {
        var unit: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = peek, let digit = Self.hexDigit(byte) else {
                throw syntax("\\u takes four hexadecimal digits")
            }
            unit = unit << 4 | UInt32(digit)
            at += 1
        }
        return unit
    }

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    // MARK: bytes

    private var peek: UInt8? { at < bytes.count ? bytes[at] : nil }

    private mutating func take(_ letter: Unicode.Scalar) -> Bool {
        guard peek == UInt8(ascii: letter) else { return false }
        at += 1
        return true
    }

    private mutating func skipBlanks() {
        while let byte = peek {
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"): at += 1
            case UInt8(ascii: "\n"):
                at += 1
                (line, lineStart, continuations) = (line + 1, at, 0)
            default: return
            }
        }
    }

    private var place: Place { Place(line: line, column: at - lineStart - continuations + 1) }

    private func syntax(_ message: String) -> Refused { .syntax(message, place) }
}
