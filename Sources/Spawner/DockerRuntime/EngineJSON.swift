// JSON on its way to the engine, and what came back, as a tree. The writer knows these cases and no others: no text is
// pasted into text, no key can come twice, nothing is merged in. The same tree is compared with what the engine says.

/// A JSON value. Numbers are whole: the engine's API has no others that matter here.
package enum EngineJSON: Equatable, Sendable {
    case null
    case bool(Bool)
    case number(Int64)
    case text(String)
    case list([EngineJSON])
    case object([String: EngineJSON])

    /// What engines may leave out, or write as another kind of nothing.
    var isNeutral: Bool {
        switch self {
        case .null, .bool(false), .number(0), .text(""): true
        case .list(let items): items.isEmpty
        case .object(let members): members.isEmpty
        default: false
        }
    }

    /// Canonical bytes: keys sorted, no blanks.
    package var encoded: [UInt8] {
        var bytes: [UInt8] = []
        write(to: &bytes)
        return bytes
    }

    private func write(to bytes: inout [UInt8]) {
        switch self {
        case .null: bytes += "null".utf8
        case .bool(let value): bytes += (value ? "true" : "false").utf8
        case .number(let value): bytes += String(value).utf8
        case .text(let value): Self.write(value, to: &bytes)
        case .list(let items):
            bytes += "[".utf8
            for (index, item) in items.enumerated() {
                if index > 0 { bytes += ",".utf8 }
                item.write(to: &bytes)
            }
            bytes += "]".utf8
        case .object(let members):
            bytes += "{".utf8
            for (index, member) in members.sorted(by: { $0.key < $1.key }).enumerated() {
                if index > 0 { bytes += ",".utf8 }
                Self.write(member.key, to: &bytes)
                bytes += ":".utf8
                member.value.write(to: &bytes)
            }
            bytes += "}".utf8
        }
    }

    private static func write(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(0x22)
        var rest = Array(text.utf8)[...]
        while let stop = rest.firstIndex(where: { $0 < 0x20 || $0 == 0x22 || $0 == 0x5C }) {
            bytes += rest[..<stop]
            let byte = rest[stop]
            bytes.append(0x5C)
            if byte < 0x20 {
                bytes += "u00\(byte < 16 ? "0" : "")\(String(byte, radix: 16))".utf8
            } else {
                bytes.append(byte)
            }
            rest = rest[(stop + 1)...]
        }
        bytes += rest
        bytes.append(0x22)
    }

    /// The path of the first place where `actual` is not what was planned, or nil. Of objects the planned members are
    /// compared, lists have to be equal in length and order, and where nothing was planned there must be nothing.
    func mismatch(in actual: EngineJSON, at path: String = "") -> String? {
        if isNeutral { return actual.isNeutral ? nil : path }
        switch (self, actual) {
        case (.object(let planned), .object(let found)):
            for (key, value) in planned.sorted(by: { $0.key < $1.key }) {
                let place = path.isEmpty ? key : "\(path).\(key)"
                if let field = value.mismatch(in: found[key] ?? .null, at: place) { return field }
            }
            return nil
        case (.list(let planned), .list(let found)):
            guard planned.count == found.count else { return path }
            for (index, pair) in zip(planned, found).enumerated() {
                if let field = pair.0.mismatch(in: pair.1, at: "\(path)[\(index)]") { return field }
            }
            return nil
        default:
            return self == actual ? nil : path
        }
    }
}

extension EngineJSON: Decodable {
    /// The commonest kinds first: a try that fails is dear.
    package init(from decoder: any Decoder) throws {
        let single = try decoder.singleValueContainer()
        if single.decodeNil() {
            self = .null
        } else if let value = try? single.decode(String.self) {
            self = .text(value)
        } else if let container = try? decoder.container(keyedBy: Key.self) {
            var members: [String: EngineJSON] = [:]
            for key in container.allKeys {
                members[key.stringValue] = try container.decode(EngineJSON.self, forKey: key)
            }
            self = .object(members)
        } else if let value = try? single.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? single.decode(Int64.self) {
            self = .number(value)
        } else if var container = try? decoder.unkeyedContainer() {
            var items: [EngineJSON] = []
            while !container.isAtEnd { items.append(try container.decode(EngineJSON.self)) }
            self = .list(items)
        } else {
            // A fraction, or a number beyond 64 bits: equal to nothing that was planned.
            self = .text("\u{0}number \(try single.decode(Double.self))")
        }
    }

    struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}
