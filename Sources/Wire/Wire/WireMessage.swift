// What every generated type can do. Canonical: whatever decodes, encodes back to the same bytes.

/// A value with exactly one encoding.
package protocol WireMessage: Hashable, Sendable {
    /// Reads the value's fields; leaves what follows them.
    init(from reader: inout WireReader) throws(WireError)

    /// Appends the value's fields; bounds are checked here, too.
    func encode(to writer: inout WireWriter) throws(WireError)
}

extension WireMessage {
    /// The message that these bytes are, all of them.
    @inline(__always)
    package static func decoded(_ bytes: ArraySlice<UInt8>) throws(WireError) -> Self {
        var reader = WireReader(bytes)
        let message = try Self(from: &reader)
        try reader.finish()
        return message
    }

    /// The message that these bytes are, all of them.
    @inline(__always)
    package static func decoded(_ bytes: [UInt8]) throws(WireError) -> Self {
        try decoded(bytes[...])
    }

    /// The message's bytes, without a frame header.
    package func encoded() throws(WireError) -> [UInt8] {
        var writer = WireWriter(reserving: 64)
        try encode(to: &writer)
        return writer.bytes
    }
}

/// A message of link.wire that travels in a control frame: `Hello`, `Goodbye`, `Abandon`.
package protocol WireControl: WireMessage {
    /// The frame's type.
    static var type: UInt16 { get }
}
