// ForgeTime: `2026-03-01T10:00:00Z`, `...00.123Z`, `...00+02:00`: the times of forges, which are compared and nothing
// else.

package enum ForgeTime {
    /// Milliseconds since 1970; nil for what is no such time, or one before.
    package static func milliseconds(_ text: String) -> UInt64? {
        var rest = Array(text.utf8)[...]
        guard let year = number(&rest, 4), skip(&rest, "-"), let month = number(&rest, 2), skip(&rest, "-"),
            let day = number(&rest, 2), skip(&rest, "T"), let hour = number(&rest, 2), skip(&rest, ":"),
            let minute = number(&rest, 2), skip(&rest, ":"), let second = number(&rest, 2),
            year >= 1970, (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second <= 60
        else { return nil }
        var thousandths = 0
        if skip(&rest, ".") {
            let digits = rest.prefix { (0x30...0x39).contains($0) }
            guard (1...9).contains(digits.count) else { return nil }
            rest = rest.dropFirst(digits.count)
            for place in 0..<3 {
                thousandths = thousandths * 10
                if place < digits.count { thousandths += Int(digits[digits.startIndex + place] - 0x30) }
            }
        }
        guard let zone = zone(&rest), rest.isEmpty else { return nil }
        // Days from the civil calendar, with years that begin in March.
        let (shifted, era) = ((month + 9) % 12, year - (month < 3 ? 1 : 0))
        let days = era * 365 + era / 4 - era / 100 + era / 400 + (153 * shifted + 2) / 5 + day - 1 - 719_468
        let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - zone
        return seconds < 0 ? nil : UInt64(seconds * 1000 + thousandths)
    }

    /// Seconds that the clock there is ahead.
    private static func zone(_ rest: inout ArraySlice<UInt8>) -> Int? {
        if skip(&rest, "Z") { return 0 }
        let sign = skip(&rest, "+") ? 1 : skip(&rest, "-") ? -1 : 0
        guard sign != 0, let hours = number(&rest, 2), skip(&rest, ":"), let minutes = number(&rest, 2), hours <= 14,
            minutes < 60
        else { return nil }
        return sign * (hours * 3600 + minutes * 60)
    }

    private static func skip(_ rest: inout ArraySlice<UInt8>, _ mark: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: mark) else { return false }
        rest = rest.dropFirst()
        return true
    }

    private static func number(_ rest: inout ArraySlice<UInt8>, _ digits: Int) -> Int? {
        let found = rest.prefix(digits)
        guard found.count == digits, found.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        rest = rest.dropFirst(digits)
        return found.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }
}
