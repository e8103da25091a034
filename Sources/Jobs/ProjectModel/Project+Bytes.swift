// Project+Bytes: the canonical bytes of a project, whose SHA-256 is its PolicyRevision. Hashing is done by whoever has
// a library for it.

import Documents
import JobModel

extension Project {
    /// Two projects that differ in anything have different bytes.
    package var canonicalBytes: [UInt8] {
        var bytes = Array("bulkhead project 1\n".utf8)
        document.append(to: &bytes)
        return bytes
    }
}

extension SpecValue {
    /// A letter for the kind, then eight bytes of length or number, then what it is: no value is the beginning of
    /// another.
    fileprivate func append(to bytes: inout [UInt8]) {
        func head(_ letter: Unicode.Scalar, _ number: UInt64) {
            bytes.append(UInt8(ascii: letter))
            bytes += (0..<8).reversed().map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
        }
        func text(_ text: String) {
            head("s", UInt64(text.utf8.count))
            bytes += Array(text.utf8)
        }
        switch content {
        case .null: head("n", 0)
        case .bool(let flag): head("b", flag ? 1 : 0)
        case .integer(let number): head("i", UInt64(bitPattern: number))
        case .float(let number): head("f", number.bitPattern)
        case .string(let string): text(string)
        case .list(let items):
            head("l", UInt64(items.count))
            for item in items { item.append(to: &bytes) }
        case .map(let entries):
            head("m", UInt64(entries.count))
            for entry in entries {
                text(entry.key)
                entry.value.append(to: &bytes)
            }
        }
    }
}
