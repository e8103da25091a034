// HTTPDate: `Sun, 06 Nov 1994 08:49:37 GMT`, the one form that servers may still write.

package enum HTTPDate {
    /// Seconds since 1970; nil for what is no such date, or one before.
    package static func seconds(_ text: String) -> UInt64? {
        let parts = text.split(separator: " ")
        guard text.utf8.count == 29, parts.count == 6, parts[0].hasSuffix(","), parts[5] == "GMT",
            let day = number(parts[1]), let month = months.firstIndex(of: parts[2]), let year = number(parts[3]),
            (1...31).contains(day), year >= 1970
        else { return nil }
        let clock = parts[4].split(separator: ":", omittingEmptySubsequences: false).map(number)
        guard clock.count == 3, let hour = clock[0], let minute = clock[1], let second = clock[2], hour < 24,
            minute < 60,
            second <= 60
        else { return nil }
        // Days from the civil calendar, with years that begin in March.
        let (shifted, era) = ((month + 10) % 12, year - (month < 2 ? 1 : 0))
        let days = era * 365 + era / 4 - era / 100 + era / 400 + (153 * shifted + 2) / 5 + day - 1 - 719_468
        return days < 0 ? nil : UInt64(days * 86_400 + hour * 3600 + minute * 60 + second)
    }

    private static let months: [Substring] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    private static func number(_ digits: Substring) -> Int? {
        guard (1...4).contains(digits.utf8.count), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int(digits)
    }
}
