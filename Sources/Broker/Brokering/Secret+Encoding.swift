// GrantBody and MaskSet, byte by byte into a Secret: the generated types would make arrays of the values on the heap.
// The encoding is proto-spec/GRAMMAR.md's; the tests decode it with the generated types.

import Secret
import Wire

extension Secret {
    /// Adds bytes that are no secret.
    mutating func append(_ bytes: [UInt8]) throws(SecretError) {
        var failure: SecretError?
        unsafe bytes.withUnsafeBytes { part in
            do throws(SecretError) { try unsafe append(part) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    mutating func append<Integer: FixedWidthInteger>(_ value: Integer) throws(SecretError) {
        let size = Integer.bitWidth / 8
        try append((0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * (size - 1 - $0))) })
    }

    /// `text<..>` with a u16 length.
    mutating func append(text: String) throws(SecretError) {
        try append(UInt16(truncatingIfNeeded: text.utf8.count))
        try append(Array(text.utf8))
    }

    /// `bytes<..>` or `text<..>` with a u16 length, out of another secret.
    mutating func append(_ value: borrowing Secret) throws(SecretError) {
        try append(UInt16(truncatingIfNeeded: value.count))
        try unsafe value.withBytes { (bytes) throws(SecretError) in try unsafe append(bytes) }
    }
}
