// Comparing in a time that depends on the lengths alone: an answer that comes sooner for a worse guess is an oracle.

extension Secret {
    /// Whether both hold the same bytes.
    package static func equal(_ one: borrowing Secret, _ other: borrowing Secret) -> Bool {
        unsafe one.withBytes { left in unsafe other.withBytes { right in unsafe equal(left, right) } }
    }

    /// The same for bytes that lie elsewhere: a MAC, a hash.
    package static func equal(_ one: UnsafeRawBufferPointer, _ other: UnsafeRawBufferPointer) -> Bool {
        if one.count != other.count { return false }
        var difference: UInt8 = 0
        for index in 0..<one.count { difference |= unsafe one[index] ^ other[index] }
        return difference == 0
    }
}
