// The 20 bytes before every body. Pure: Link reads them from a socket, the fuzzer from memory.
//
//   length u32 | type u16 | kind u8 | fd_count u8 | request_id u64 | deadline_ms u32        (big-endian)

/// What a frame is. 0 and 7...255 are reserved.
package enum FrameKind: UInt8, CaseIterable, Sendable {
    case request = 1
    case reply = 2
    case error = 3
    case item = 4
    case end = 5
    case control = 6
}

/// A frame's header, decoded.
package struct FrameHeader: Hashable, Sendable {
    /// Bytes of an encoded header.
    package static let size = 20
    /// The least that a length word may say: the header behind it.
    package static let restSize = 16

    /// The request's number in the schema; for control frames the control message's.
    package var type: UInt16
    package var kind: FrameKind
    package var fdCount: UInt8
    /// Chosen by the requester, increasing from 1; 0 in control frames.
    package var requestID: UInt64
    /// Milliseconds from now, in requests; 0: none.
    package var deadline: UInt32
    /// Bytes of the body.
    package var bodyLength: Int

    package init(
        type: UInt16, kind: FrameKind, requestID: UInt64, bodyLength: Int, fdCount: UInt8 = 0, deadline: UInt32 = 0
    ) {
        self.type = type
        self.kind = kind
        self.fdCount = fdCount
        self.requestID = requestID
        self.deadline = deadline
        self.bodyLength = bodyLength
    }

    /// Reads a header. The length is compared with `limit` (the edge's) before anything else is looked at, so that
    /// nobody makes room for a frame that is refused.
    package init(from reader: inout WireReader, limit: Int) throws(WireError) {
        let length = try reader.u32()
        if length < UInt32(Self.restSize) { throw .frameLength(length) }
        if Int(length) > limit { throw .frameTooLarge(length) }
        type = try reader.u16()
        let rawKind = try reader.u8()
        guard let kind = FrameKind(rawValue: rawKind) else { throw .frameKind(rawKind) }
        self.kind = kind
        fdCount = try reader.u8()
        requestID = try reader.u64()
        deadline = try reader.u32()
        bodyLength = Int(length) - Self.restSize
    }

    /// Appends the 20 bytes. The body must fit `limit`.
    package func encode(to writer: inout WireWriter, limit: Int) throws(WireError) {
        let length = bodyLength + Self.restSize
        if bodyLength < 0 || length > limit { throw .frameTooLarge(UInt32(clamping: length)) }
        let first = UInt64(length) << 32 | UInt64(type) << 16 | UInt64(kind.rawValue) << 8 | UInt64(fdCount)
        writer.header(first, requestID, deadline)
    }
}
