// JSONText: what we send. A value of each kind that a forge takes, written as JSON.

import Documents

package enum JSONText: Equatable, Sendable {
    case text(String)
    case number(UInt64)
    case flag(Bool)
    case list([JSONText])
    /// In this order; what is nil is left out.
    case map([(String, JSONText?)])

    package static func == (one: JSONText, other: JSONText) -> Bool { one.bytes == other.bytes }

    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        write(into: &bytes)
        return bytes
    }

    private func write(into bytes: inout [UInt8]) {
        switch self {
        case .text(let text): JSONString.append(text, to: &bytes)
        case .number(let number): bytes += String(number).utf8
        case .flag(let flag): bytes += (flag ? "true" : "false").utf8
        case .list(let items):
            bytes.append(UInt8(ascii: "["))
            for (index, item) in items.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                item.write(into: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .map(let entries):
            bytes.append(UInt8(ascii: "{"))
            var isFirst = true
            for case (let key, let value?) in entries {
                if !isFirst { bytes.append(UInt8(ascii: ",")) }
                isFirst = false
                JSONString.append(key, to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                value.write(into: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }
}
