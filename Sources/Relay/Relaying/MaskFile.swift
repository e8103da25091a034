// What brokerd sends on the mask edge: a file that holds one MaskSet. It is read by hand, since a decoded MaskSet would
// leave the values in arrays.

import Files
import Masker
import Posix
import Secret
import Wire

enum MaskFile {
    enum Refused: Error, Equatable {
        case notRegular
        /// Bytes.
        case size(Int64)
        case format
    }

    /// Bounds of MaskSet in types.wire.
    private static let valueLimit = 64
    private static let lengthLimit = 8192
    private static let sizeLimit = 2 + valueLimit * (2 + lengthLimit)

    /// Reads the file at once and closes it. One that is shorter than it said is refused.
    static func read(_ file: consuming FileDescriptor) throws -> Secret {
        let status = try Posix.fstat(file.raw)
        guard status.kind == .regular else { throw Refused.notRegular }
        guard status.size >= 2, status.size <= Int64(sizeLimit) else { throw Refused.size(status.size) }
        let set = try Secret(contentsOf: file.raw, limit: Int(status.size))
        guard set.count == Int(status.size) else { throw Refused.format }
        return set
    }

    /// Adds the values of an encoded MaskSet: a u16 count, and for each a u16 length and its bytes.
    static func add(_ set: borrowing Secret, to patterns: Patterns) throws {
        try set.withBytes { (bytes) throws in
            // All of it is looked at before a value is taken: half a set must not pass for one.
            let values = try ranges(of: bytes)
            for value in values { try patterns.add(UnsafeRawBufferPointer(rebasing: bytes[value])) }
        }
    }

    private static func ranges(of bytes: UnsafeRawBufferPointer) throws(Refused) -> [Range<Int>] {
        var position = 0
        let count = try number(in: bytes, at: &position)
        guard count <= valueLimit else { throw .format }
        var ranges: [Range<Int>] = []
        for _ in 0..<count {
            let length = try number(in: bytes, at: &position)
            guard length >= 1, length <= lengthLimit, length <= bytes.count - position else { throw .format }
            ranges.append(position..<(position + length))
            position += length
        }
        guard position == bytes.count else { throw .format }
        return ranges
    }

    private static func number(in bytes: UnsafeRawBufferPointer, at position: inout Int) throws(Refused) -> Int {
        guard bytes.count - position >= 2 else { throw .format }
        defer { position += 2 }
        return Int(bytes[position]) << 8 | Int(bytes[position + 1])
    }
}
