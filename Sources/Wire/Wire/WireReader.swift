// Reads the fields of one message from borrowed bytes. What comes from a peer passes here first: every length is
// compared with its bound and with what is there before anything of that size is made.

/// A cursor over a frame's body. Cheap to make: the bytes are shared, not copied.
package struct WireReader {
    private let bytes: ArraySlice<UInt8>
    private var position: Int
    private let end: Int

    package init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
        end = bytes.endIndex
    }

    package init(_ bytes: [UInt8]) {
        self.init(bytes[...])
    }

    /// Bytes not read yet.
    package var remaining: Int {
        @inline(__always) get { end - position }
    }

    /// To be called after the last field: a message has no trailing bytes.
    @inline(__always)
    package func finish() throws(WireError) {
        if position != end { throw .trailingBytes }
    }

    /// Moves past `count` bytes and says where they begin.
    @inline(__always)
    private mutating func take(_ count: Int) throws(WireError) -> Int {
        let start = position
        if end - start < count { throw .truncated }
        position = start + count
        return start
    }
}

extension WireReader {
    @inline(__always)
    package mutating func u8() throws(WireError) -> UInt8 {
        let at = try take(1)
        return bytes[at]
    }

    @inline(__always)
    package mutating func u16() throws(WireError) -> UInt16 {
        let at = try take(2)
        return load(at)
    }

    @inline(__always)
    package mutating func u32() throws(WireError) -> UInt32 {
        let at = try take(4)
        return load(at)
    }

    @inline(__always)
    package mutating func u64() throws(WireError) -> UInt64 {
        let at = try take(8)
        return load(at)
    }

    @inline(__always)
    package mutating func i64() throws(WireError) -> Int64 {
        Int64(bitPattern: try u64())
    }

    /// 0 or 1; anything else would give one value two encodings.
    @inline(__always)
    package mutating func bool() throws(WireError) -> Bool {
        let value = try u8()
        if value > 1 { throw .badBool(value) }
        return value == 1
    }

    /// The byte before an option's value.
    @inline(__always)
    package mutating func present() throws(WireError) -> Bool {
        let value = try u8()
        if value > 1 { throw .badOption(value) }
        return value == 1
    }

    /// `take` has checked that the integer's bytes are there; the pointer does not leave the closure.
    @inline(__always)
    private func load<Value: FixedWidthInteger & BitwiseCopyable>(_ at: Int) -> Value {
        let offset = at - bytes.startIndex
        return unsafe bytes.withUnsafeBytes { memory in
            unsafe Value(bigEndian: memory.loadUnaligned(fromByteOffset: offset, as: Value.self))
        }
    }
}

extension WireReader {
    package mutating func bytes16() throws(WireError) -> Bytes16 {
        Bytes16(high: try u64(), low: try u64())
    }

    package mutating func bytes32() throws(WireError) -> Bytes32 {
        Bytes32(try u64(), try u64(), try u64(), try u64())
    }

    /// `bytes<low..high>` whose length is a u16 (high <= 65535).
    package mutating func bytes(short low: Int, _ high: Int, _ field: StaticString) throws(WireError) -> [UInt8] {
        let length = Int(try u16())
        return Array(try slice(length, low, high, field))
    }

    /// `bytes<low..high>` whose length is a u32.
    package mutating func bytes(long low: Int, _ high: Int, _ field: StaticString) throws(WireError) -> [UInt8] {
        let length = Int(try u32())
        return Array(try slice(length, low, high, field))
    }

    /// `text<low..high>` whose length is a u16 (high <= 65535).
    package mutating func text(short low: Int, _ high: Int, _ field: StaticString) throws(WireError) -> String {
        let length = Int(try u16())
        return try text(try slice(length, low, high, field))
    }

    /// `text<low..high>` whose length is a u32.
    package mutating func text(long low: Int, _ high: Int, _ field: StaticString) throws(WireError) -> String {
        let length = Int(try u32())
        return try text(try slice(length, low, high, field))
    }

    /// A list's count. `each` is the least that an element takes: a count that the rest cannot hold is refused
    /// before room is made for it.
    package mutating func count(
        _ low: Int, _ high: Int, each: Int, _ field: StaticString
    ) throws(WireError) -> Int {
        let count = Int(try u16())
        if count < low || count > high { throw .outOfBounds("\(field)") }
        if count * each > remaining { throw .truncated }
        return count
    }

    private mutating func slice(
        _ length: Int, _ low: Int, _ high: Int, _ field: StaticString
    ) throws(WireError) -> ArraySlice<UInt8> {
        if length < low || length > high { throw .outOfBounds("\(field)") }
        let start = try take(length)
        return bytes[start..<start + length]
    }

    /// UTF-8 without NUL: what C code behind us would read as the end must not be in the middle.
    private func text(_ slice: ArraySlice<UInt8>) throws(WireError) -> String {
        if slice.containsNUL { throw .nulInText }
        do {
            return String(copying: try UTF8Span(validating: slice.span))
        } catch {
            throw .badUTF8
        }
    }
}

extension ArraySlice<UInt8> {
    /// The least byte, in one loop without an exit: the compiler makes vector code of it.
    @inline(__always)
    var containsNUL: Bool {
        var least = UInt8.max
        for byte in self { least = Swift.min(least, byte) }
        return least == 0 && !isEmpty
    }
}
