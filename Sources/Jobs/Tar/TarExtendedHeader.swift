// The records of a pax extended header ("LENGTH KEY=VALUE\n"): what may replace a name, a size, a link. Read by
// TarReader only.

/// What one pax extended header says about the entry after it.
struct TarExtendedHeader {
    private(set) var path: [UInt8]?
    private(set) var linkPath: [UInt8]?
    private(set) var size: UInt64?
    private(set) var modified: Int64?

    /// - Parameters:
    ///   - bytes: the header's data.
    ///   - isGlobal: a global header (`git archive` writes its commit there) may say nothing about names and sizes:
    ///     parsers differ in how long it holds, and what two programs read differently hides things from one of them.
    /// - Throws: `.badExtendedHeader`, `.duplicateKey`, `.globalKey`, `.sparse`, `.badNumber`.
    init(_ bytes: [UInt8], isGlobal: Bool) throws(TarProblem) {
        var seen: Set<String> = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let (key, value) = try TarExtendedHeader.record(&rest)
            guard seen.insert(key).inserted else { throw .duplicateKey(TarError.printable(Array(key.utf8))) }
            if key.hasPrefix("GNU.sparse.") { throw .sparse }
            if isGlobal && ["path", "linkpath", "size"].contains(key) { throw .globalKey(key) }
            switch key {
            case "path": path = value
            case "linkpath": linkPath = value
            case "size": size = try TarExtendedHeader.decimal(value)
            case "mtime": modified = TarExtendedHeader.seconds(value)
            default: break  // Owners, comments, vendors' attributes: nothing that the source needs.
            }
        }
    }

    /// Cuts one record off. Its length counts the digits, the blank and the newline as well.
    private static func record(_ rest: inout ArraySlice<UInt8>) throws(TarProblem) -> (String, [UInt8]) {
        let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard (1...7).contains(digits.count), let length = Int(String(decoding: digits, as: UTF8.self)),
            length > digits.count + 1, length <= rest.count
        else { throw .badExtendedHeader }
        let record = rest.prefix(length)
        rest = rest.dropFirst(length)
        let body = record.dropFirst(digits.count)
        guard body.first == UInt8(ascii: " "), body.last == UInt8(ascii: "\n"),
            let equals = body.firstIndex(of: UInt8(ascii: "="))
        else { throw .badExtendedHeader }
        let keyBytes = body[(body.startIndex + 1)..<equals]
        guard !keyBytes.isEmpty, let key = String(validating: keyBytes, as: UTF8.self) else { throw .badExtendedHeader }
        return (key, Array(body[(equals + 1)..<(body.endIndex - 1)]))
    }

    private static func decimal(_ value: [UInt8]) throws(TarProblem) -> UInt64 {
        guard !value.isEmpty, value.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let number = UInt64(String(decoding: value, as: UTF8.self)), number <= UInt64(Int64.max)
        else { throw .badNumber("size") }
        return number
    }

    /// Whole seconds of a decimal fraction; nil for what is none: a time is not worth a failed job.
    private static func seconds(_ value: [UInt8]) -> Int64? {
        Int64(String(decoding: value.prefix { $0 != UInt8(ascii: ".") }, as: UTF8.self))
    }
}
