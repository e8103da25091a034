// HeaderCollector: the head of an answer as its lines come in.

import Exchange

struct HeaderCollector {
    /// More than any forge sends.
    private static let most = 256

    /// Of the last status line; 0 before there is one.
    private(set) var status = 0
    private(set) var fields: [HeaderField] = []
    private var bytes = 0
    private var lines = 0

    /// False: it is too much, or not HTTP.
    mutating func take(_ whole: [UInt8], limit: Int) -> Bool {
        bytes += whole.count
        lines += 1
        guard bytes <= limit, lines <= Self.most else { return false }
        let line = whole.prefix { $0 != 0x0D && $0 != 0x0A }
        if line.starts(with: "HTTP/".utf8) {
            // What an interim answer said is over.
            fields = []
            let words = line.split(separator: UInt8(ascii: " "), maxSplits: 2)
            guard words.count >= 2, let number = Int(String(decoding: words[1], as: UTF8.self)) else { return false }
            status = number
            return true
        }
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return line.isEmpty }
        let value = line[(colon + 1)...].drop { $0 == 0x20 || $0 == 0x09 }
        let end = value.lastIndex { $0 != 0x20 && $0 != 0x09 }.map { $0 + 1 } ?? value.startIndex
        fields.append(
            HeaderField(
                String(decoding: line[..<colon], as: UTF8.self),
                String(decoding: value[value.startIndex..<end], as: UTF8.self)))
        return true
    }
}
