// Writes frames: header and payload in one go, at the end of a buffer that is kept and used again.

package import Wire

/// Appends frames to a writer. What does not encode leaves no trace in it.
package enum FrameEncoder {
    /// `limit`: the most that the length word may say to this peer.
    package static func append<Message: WireMessage>(
        _ message: Message, _ header: FrameHeader, limit: Int, to writer: inout WireWriter
    ) throws(WireError) {
        let start = writer.bytes.count
        do {
            try header.encode(to: &writer, limit: limit)
            let bodyStart = writer.bytes.count
            try message.encode(to: &writer)
            try patchLength(at: start, body: writer.bytes.count - bodyStart, limit, &writer)
        } catch {
            writer.bytes.removeSubrange(start...)
            throw error
        }
    }

    /// A frame without a body.
    package static func appendEmpty(
        _ header: FrameHeader, limit: Int, to writer: inout WireWriter
    ) throws(WireError) {
        try header.encode(to: &writer, limit: limit)
    }

    /// The header was written before the length of what follows was known.
    private static func patchLength(
        at start: Int, body: Int, _ limit: Int, _ writer: inout WireWriter
    ) throws(WireError) {
        let length = body + FrameHeader.restSize
        if length > limit { throw .frameTooLarge(UInt32(clamping: length)) }
        writer.bytes[start] = UInt8(truncatingIfNeeded: length >> 24)
        writer.bytes[start + 1] = UInt8(truncatingIfNeeded: length >> 16)
        writer.bytes[start + 2] = UInt8(truncatingIfNeeded: length >> 8)
        writer.bytes[start + 3] = UInt8(truncatingIfNeeded: length)
    }
}
