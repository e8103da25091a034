// ISODate: `2026-12-01T08:00:00.000Z`, the form in which GitLab writes a time; a date alone is its first second.

package enum ISODate {
    /// Seconds since 1970; nil for what is no such date, or one before.
    package static func seconds(_ text: String) -> UInt64? {
        let bytes = Array(text.utf8)
        guard (10...35).contains(bytes.count), let year = number(bytes, 0, 4), bytes[4] == UInt8(ascii: "-"),
            let month = number(bytes, 5, 2), bytes[7] == UInt8(ascii: "-"), let day = number(bytes, 8, 2),
            year >= 1970, (1...12).contains(month), (1...31).contains(day)
        else { return nil }
        // Days from the civil calendar, with years that begin in March.
        let (shifted, era) = ((month + 9) % 12, year - (month < 3 ? 1 : 0))
        let days = era * 365 + era / 4 - era / 100 + era / 400 + (153 * shifted + 2) / 5 + day - 1 - 719_468
        guard let ofDay = secondsOfDay(bytes), days * 86_400 + ofDay >= 0 else { return nil }
        return UInt64(days * 86_400 + ofDay)
    }

    private static func secondsOfDay(_ bytes: [UInt8]) -> Int? {
        if bytes.count == 10 { return 0 }
        guard bytes.count >= 20, bytes[10] == UInt8(ascii: "T"), let hour = number(bytes, 11, 2),
            bytes[13] == UInt8(ascii: ":"), let minute = number(bytes, 14, 2), bytes[16] == UInt8(ascii: ":"),
            let second = number(bytes, 17, 2), hour < 24, minute < 60, second <= 60
        else { return nil }
        var zone = bytes[19...]
        if zone.first == UInt8(ascii: ".") { zone = zone.dropFirst().drop { (0x30...0x39).contains($0) } }
        let time = hour * 3600 + minute * 60 + second
        if zone.elementsEqual([UInt8(ascii: "Z")]) { return time }
        guard zone.count == 6, let sign = zone.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"),
            let hours = number(bytes, zone.startIndex + 1, 2), bytes[zone.startIndex + 3] == UInt8(ascii: ":"),
            let minutes = number(bytes, zone.startIndex + 4, 2), hours < 24, minutes < 60
        else { return nil }
        let offset = hours * 3600 + minutes * 60
        return sign == UInt8(ascii: "+") ? time - offset : time + offset
    }

    private static func number(_ bytes: [UInt8], _ start: Int, _ count: Int) -> Int? {
        guard start + count <= bytes.count else { return nil }
        var value = 0
        for byte in bytes[start..<(start + count)] {
            guard (0x30...0x39).contains(byte) else { return nil }
            value = value * 10 + Int(byte - 0x30)
        }
        return value
    }
}
