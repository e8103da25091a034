// ZipFields: the numbers of a zip archive, which stand in it with their low byte first; and its times.

/// Reads a record from its front.
struct ZipFields {
    private(set) var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    mutating func take(_ count: Int) throws(ZipProblem) -> ArraySlice<UInt8> {
        guard count <= rest.count else { throw .badRecord }
        let part = rest.prefix(count)
        rest = rest.dropFirst(count)
        return part
    }

    mutating func number<Number: FixedWidthInteger>(_: Number.Type = Number.self) throws(ZipProblem) -> Number {
        try take(Number.bitWidth / 8).reversed().reduce(0) { $0 << 8 | Number(truncatingIfNeeded: $1) }
    }

    /// What stands at the front of a record tells which one it is.
    mutating func expect(_ signature: UInt32) throws(ZipProblem) {
        guard try number() == signature else { throw .badRecord }
    }

    /// The data of the first extra field of a kind, if there is one. What is behind the fields may be anything.
    static func extra(_ kind: UInt16, in fields: ArraySlice<UInt8>) throws(ZipProblem) -> ZipFields? {
        var fields = ZipFields(fields)
        while fields.rest.count >= 4 {
            let found: UInt16 = try fields.number()
            let data = try fields.take(Int(try fields.number(UInt16.self)))
            if found == kind { return ZipFields(data) }
        }
        return nil
    }
}

extension [UInt8] {
    /// Appends a number, its low byte first.
    mutating func put<Number: FixedWidthInteger>(_ number: Number) {
        for shift in stride(from: 0, to: Number.bitWidth, by: 8) { append(UInt8(truncatingIfNeeded: number >> shift)) }
    }
}

/// The signatures of its records and the kinds of extra fields.
enum Zip {
    static let local: UInt32 = 0x0403_4B50
    static let descriptor: UInt32 = 0x0807_4B50
    static let central: UInt32 = 0x0201_4B50
    static let end: UInt32 = 0x0605_4B50
    static let wideEnd: UInt32 = 0x0606_4B50
    static let wideLocator: UInt32 = 0x0706_4B50
    /// The sizes that do not fit.
    static let wideExtra: UInt16 = 0x0001
    /// Seconds since 1970.
    static let timeExtra: UInt16 = 0x5455

    static let store: UInt16 = 0
    static let deflate: UInt16 = 8

    /// The sizes of records without what varies.
    static let localSize = 30
    static let centralSize = 46
    static let endSize = 22
    static let wideEndSize = 56
    static let wideLocatorSize = 20

    /// Seconds since 1970 of a date and a time of day as MS-DOS had them. Nobody says in which time zone: here, UTC.
    static func seconds(date: UInt16, time: UInt16) -> Int64 {
        let (year, month, day) = (Int64(date >> 9) + 1980, Int64(date >> 5 & 15), Int64(date & 31))
        // Days of a year that begins in March, whose last day is the one that some years do not have.
        let (march, monthOfIt) = month > 2 ? (year, month - 3) : (year - 1, month + 9)
        let days = march * 365 + march / 4 - march / 100 + march / 400 + (monthOfIt * 153 + 2) / 5 + day - 1 - 719_468
        return days * 86_400 + Int64(time >> 11) * 3600 + Int64(time >> 5 & 63) * 60 + Int64(time & 31) * 2
    }

    /// The reverse; what MS-DOS cannot say becomes the first day that it can.
    static func date(_ seconds: Int64) -> (date: UInt16, time: UInt16) {
        // 1980 to 2107.
        guard (315_532_800..<4_354_819_200).contains(seconds) else { return (1 << 5 | 1, 0) }
        let (days, second) = (seconds / 86_400 + 719_468, seconds % 86_400)
        let (era, dayOfEra) = (days / 146_097, days % 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthOfIt = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthOfIt + 2) / 5 + 1
        let month = monthOfIt < 10 ? monthOfIt + 3 : monthOfIt - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (
            UInt16(year - 1980) << 9 | UInt16(month) << 5 | UInt16(day),
            UInt16(second / 3600) << 11 | UInt16(second / 60 % 60) << 5 | UInt16(second % 60 / 2)
        )
    }
}
