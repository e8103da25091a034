// One line of a log. What is logged may come from a hostile peer, so nothing in it may end the line, fake a field or
// drive a terminal.

/// Renders records as `key=value` pairs.
package enum Logfmt {
    /// A value: bare if it is plain, quoted and escaped otherwise.
    package static func value(_ text: String) -> String {
        let plain = !text.isEmpty && text.unicodeScalars.allSatisfy { isPlain($0) }
        return plain ? text : "\"" + escaped(text) + "\""
    }

    /// The text with everything escaped that is not safe inside quotes: control characters (C0, DEL, C1), separators,
    /// quotes, and the characters that reorder or hide what follows them.
    package static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.isHidden: result += "\\u{" + String(scalar.value, radix: 16) + "}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// A key of our own: letters, digits, `_`, `.` and `-`; anything else becomes `_`.
    static func key(_ text: String) -> String {
        String(text.unicodeScalars.map { isWord($0) ? Character($0) : "_" })
    }

    /// `2025-06-01T12:34:56.789Z` of milliseconds since 1970.
    package static func time(_ milliseconds: Int64) -> String {
        let days = Int((Double(milliseconds) / 86_400_000).rounded(.down))
        let inDay = Int(milliseconds) - days * 86_400_000
        let (year, month, day) = date(days)
        let (hours, minutes) = (inDay / 3_600_000, inDay / 60_000 % 60)
        let (seconds, rest) = (inDay / 1000 % 60, inDay % 1000)
        return "\(year)-\(two(month))-\(two(day))T\(two(hours)):\(two(minutes)):\(two(seconds))."
            + (rest < 100 ? "0" : "") + two(rest) + "Z"
    }

    /// The civil date of a day counted from 1970-01-01, by eras of 400 years that start in March.
    private static func date(_ day: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = day + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let inEra = shifted - era * 146_097
        let yearOfEra = (inEra - inEra / 1460 + inEra / 36_524 - inEra / 146_096) / 365
        let inYear = inEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let fromMarch = (5 * inYear + 2) / 153
        let month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, inYear - (153 * fromMarch + 2) / 5 + 1)
    }

    private static func two(_ number: Int) -> String {
        number < 10 ? "0\(number)" : "\(number)"
    }

    private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "_", ".", "-": true
        default: false
        }
    }

    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        isWord(scalar) || scalar == "/" || scalar == ":" || scalar == "@" || scalar == "+" || scalar == ","
    }
}

extension Unicode.Scalar {
    /// What a terminal obeys or does not show: never as it is in a text that people read.
    package var isHidden: Bool {
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned: true
        default: false
        }
    }
}
