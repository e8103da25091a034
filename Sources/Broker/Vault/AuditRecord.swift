// One line of the audit log. Whoever reads the log needs `sha256sum` and nothing of ours:
//
//     seq=7 time=1763730000000 event=grant ticket=... job=12 prev=<64 hex> hash=<64 hex>
//
// `hash` is the SHA-256 of the line up to the space before it, `prev` the hash of the line before (zeros in the first).

import Orders
package import Wire

/// What is recorded.
package enum AuditEvent: String, Sendable {
    case started, grant
    /// The same attempt again, after a restart of somebody.
    case grantAgain = "grant_again"
    case grantDenied = "grant_denied"
    /// A job's token that is dead.
    case tokenDenied = "token_denied"
    /// These are on record before they happen: what a crash comes between may not have happened.
    case secretSet = "secret_set"
    case secretRemoved = "secret_removed"
    case rotated
    case projectSet = "project_set"
    case projectRemoved = "project_removed"
    case userSet = "user_set"
    case userRemoved = "user_removed"
    case roleSet = "role_set"
    case tokenSet = "token_set"
    case tokenRemoved = "token_removed"
    /// Somebody has approved a change.
    case approved
}

/// The end of the log: the number of the last record (0: none) and its hash.
package struct AuditHead: Hashable, Sendable {
    package var sequence: UInt64
    package var hash: Bytes32

    package init(sequence: UInt64, hash: Bytes32) {
        self.sequence = sequence
        self.hash = hash
    }

    package static let none = AuditHead(sequence: 0, hash: Bytes32(0, 0, 0, 0))
}

/// A record that has been read and found in order.
package struct AuditRecord {
    package let head: AuditHead
    /// The fields between `seq` and `prev`.
    package let fields: [String: String]
    package var event: AuditEvent? { fields["event"].flatMap(AuditEvent.init(rawValue:)) }
    package var time: Int64 { fields["time"].flatMap { Int64($0) } ?? 0 }

    /// The line of a new record, with its newline, and the head that it makes.
    static func line(
        _ event: AuditEvent, _ fields: [(String, String)], at time: Int64, after head: AuditHead
    ) -> (bytes: [UInt8], head: AuditHead) {
        let sequence = head.sequence + 1
        var text = "seq=\(sequence) time=\(time) event=\(event.rawValue)"
        for (name, value) in fields { text += " \(name)=\(escaped(value))" }
        text += " prev=\(head.hash.hex)"
        let hash = Hashes.sha256(Array(text.utf8))
        return (Array("\(text) hash=\(hash.hex)\n".utf8), AuditHead(sequence: sequence, hash: hash))
    }

    /// Reads a line, without its newline, that must follow `head`. nil: it does not.
    init?(_ line: ArraySlice<UInt8>, after head: AuditHead) {
        let tail = Array(" hash=".utf8).count + 64
        guard line.count > tail else { return nil }
        let said = line.dropLast(tail)
        let hash = Hashes.sha256(Array(said))
        guard line.suffix(tail).elementsEqual(Array(" hash=\(hash.hex)".utf8)) else { return nil }
        var parts = String(decoding: said, as: UTF8.self).split(separator: " ")
        guard parts.first == "seq=\(head.sequence + 1)", parts.last == "prev=\(head.hash.hex)" else { return nil }
        parts.removeFirst()
        parts.removeLast()
        var fields: [String: String] = [:]
        for part in parts {
            guard let equals = part.firstIndex(of: "=") else { return nil }
            fields[String(part[..<equals])] = String(part[part.index(after: equals)...])
        }
        self.fields = fields
        self.head = AuditHead(sequence: head.sequence + 1, hash: hash)
    }

    /// Names come from people and from siblings: nothing in one may look like a field or a line of ours.
    private static func escaped(_ value: String) -> String {
        var text = ""
        for byte in value.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"),
                UInt8(ascii: ","):
                text.unicodeScalars.append(Unicode.Scalar(byte))
            default: text += "%" + Hex.encode([byte])
            }
        }
        return text
    }
}
