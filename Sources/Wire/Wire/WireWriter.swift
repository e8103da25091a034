// Writes the fields of one message. Bounds are checked here too: what we send is what the peer's reader accepts,
// and a mistake of ours shows up on our side of the wall.

/// Appends to `bytes`. Keep one and `reset()` it to write many messages without allocating.
package struct WireWriter {
    package var bytes: [UInt8]

    package init(reserving capacity: Int = 0) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    /// Empties the buffer and keeps its memory.
    package mutating func reset() {
        bytes.removeAll(keepingCapacity: true)
    }
}

extension WireWriter {
    @inline(__always)
    package mutating func u8(_ value: UInt8) {
        bytes.append(value)
    }

    @inline(__always)
    package mutating func u16(_ value: UInt16) {
        raw(value.bigEndian)
    }

    @inline(__always)
    package mutating func u32(_ value: UInt32) {
        raw(value.bigEndian)
    }

    @inline(__always)
    package mutating func u64(_ value: UInt64) {
        raw(value.bigEndian)
    }

    @inline(__always)
    package mutating func i64(_ value: Int64) {
        raw(value.bigEndian)
    }

    @inline(__always)
    package mutating func bool(_ value: Bool) {
        bytes.append(value ? 1 : 0)
    }

    /// The byte before an option's value.
    @inline(__always)
    package mutating func present(_ value: Bool) {
        bytes.append(value ? 1 : 0)
    }

    /// The memory of integers: the pointer lives as long as the closure, and the append copies from it.
    @inline(__always)
    fileprivate mutating func raw<Value: BitwiseCopyable>(_ value: Value) {
        unsafe withUnsafeBytes(of: value) { unsafe bytes.append(contentsOf: $0) }
    }
}

extension WireWriter {
    /// The 20 bytes of a frame header in one step.
    @inline(__always)
    mutating func header(_ first: UInt64, _ requestID: UInt64, _ deadline: UInt32) {
        raw((first.bigEndian, requestID.bigEndian, deadline.bigEndian))
    }

    package mutating func bytes16(_ value: Bytes16) {
        raw((value.high.bigEndian, value.low.bigEndian))
    }

    package mutating func bytes32(_ value: Bytes32) {
        let words = value.words
        raw((words.0.bigEndian, words.1.bigEndian, words.2.bigEndian, words.3.bigEndian))
    }

    /// `bytes<low..high>` with a u16 length.
    package mutating func bytes(
        short value: [UInt8], _ low: Int, _ high: Int, _ field: StaticString
    ) throws(WireError) {
        try check(value.count, low, high, field)
        u16(UInt16(truncatingIfNeeded: value.count))
        bytes.append(contentsOf: value)
    }

    /// `bytes<low..high>` with a u32 length.
    package mutating func bytes(
        long value: [UInt8], _ low: Int, _ high: Int, _ field: StaticString
    ) throws(WireError) {
        try check(value.count, low, high, field)
        u32(UInt32(truncatingIfNeeded: value.count))
        bytes.append(contentsOf: value)
    }

    /// `text<low..high>` with a u16 length; bounds count bytes of UTF-8.
    package mutating func text(
        short value: String, _ low: Int, _ high: Int, _ field: StaticString
    ) throws(WireError) {
        let utf8 = value.utf8
        try check(utf8.count, low, high, field)
        u16(UInt16(truncatingIfNeeded: utf8.count))
        try append(utf8)
    }

    /// `text<low..high>` with a u32 length; bounds count bytes of UTF-8.
    package mutating func text(
        long value: String, _ low: Int, _ high: Int, _ field: StaticString
    ) throws(WireError) {
        let utf8 = value.utf8
        try check(utf8.count, low, high, field)
        u32(UInt32(truncatingIfNeeded: utf8.count))
        try append(utf8)
    }

    /// A list's count.
    package mutating func count(_ count: Int, _ low: Int, _ high: Int, _ field: StaticString) throws(WireError) {
        try check(count, low, high, field)
        u16(UInt16(truncatingIfNeeded: count))
    }

    private mutating func append(_ utf8: String.UTF8View) throws(WireError) {
        let start = bytes.count
        unsafe utf8.span.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
        if bytes[start...].containsNUL { throw .nulInText }
    }

    @inline(__always)
    private func check(_ length: Int, _ low: Int, _ high: Int, _ field: StaticString) throws(WireError) {
        if length < low || length > high { throw .outOfBounds("\(field)") }
    }
}
