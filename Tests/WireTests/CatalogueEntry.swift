// One decoder of the protocol, with its type erased: the rows of Generated/Catalogue.swift. The fuzzer uses it, too.

package import Wire

/// What the body of an `end` frame is.
package struct EmptyBody: WireMessage {
    package init(from reader: inout WireReader) throws(WireError) {}

    package func encode(to writer: inout WireWriter) throws(WireError) {}
}

/// What `recode` finds wrong with our own code, as opposed to the bytes.
package enum OracleError: Error, Equatable {
    /// It decoded, but encodes to other bytes.
    case notCanonical(String)
    /// It decoded, but the encoder refuses the value.
    case refusedByEncoder(String, WireError)
}

package struct CatalogueEntry: Sendable {
    package let edge: String
    package let kind: FrameKind
    package let type: UInt16
    /// Decodes, encodes, compares. Throws WireError for bad bytes and OracleError for a mistake of ours.
    package let recode: @Sendable (ArraySlice<UInt8>) throws -> Void

    package init<Message: WireMessage>(_ edge: String, _ kind: FrameKind, _ type: UInt16, _ message: Message.Type) {
        self.edge = edge
        self.kind = kind
        self.type = type
        recode = { bytes in
            let value = try Message.decoded(bytes)
            let name = "\(edge) \(kind) \(type)"
            do {
                let again = try value.encoded()
                if again != Array(bytes) { throw OracleError.notCanonical(name) }
                if try Message.decoded(again) != value { throw OracleError.notCanonical(name) }
            } catch let error as WireError {
                throw OracleError.refusedByEncoder(name, error)
            }
        }
    }

    /// The entry for a frame that the edge's `check` has let through.
    package static func find(_ edge: String, _ header: FrameHeader) -> CatalogueEntry? {
        allMessages.first { $0.edge == edge && $0.kind == header.kind && $0.type == header.type }
    }
}

/// A whole frame, as a peer's reader sees it: header, the schema's rules, body, nothing behind it.
package enum FrameOracle {
    package static func recode(
        _ frame: [UInt8], edge: any WireEdge.Type, from side: Side, fds: Int
    ) throws {
        var reader = WireReader(frame)
        let header = try FrameHeader(from: &reader, limit: edge.frameLimit)
        try edge.check(header, from: side)
        if Int(header.fdCount) != fds { throw WireError.wrongFDs(header.fdCount) }
        if reader.remaining < header.bodyLength { throw WireError.truncated }
        if reader.remaining > header.bodyLength { throw WireError.trailingBytes }
        guard let entry = CatalogueEntry.find(edge.name, header) else { throw WireError.unknownMessage(header.type) }
        try entry.recode(frame[FrameHeader.size...])
        var writer = WireWriter()
        try header.encode(to: &writer, limit: edge.frameLimit)
        if writer.bytes[...] != frame[..<FrameHeader.size] { throw OracleError.notCanonical("header") }
    }
}

extension WireEdge {
    /// The row of a request type.
    package static func rule(_ type: UInt16) -> MessageRule? {
        rules.first { $0.type == type }
    }

    /// Checks what the schema alone can say of a frame's header, in the order of the spec: is there such a message of
    /// this kind from this side, request id, deadline, descriptors.
    package static func check(_ header: FrameHeader, from side: Side) throws(WireError) {
        let fds: Int
        switch header.kind {
        case .control:
            guard [Hello.type, Goodbye.type, Abandon.type].contains(header.type) else {
                throw .unknownMessage(header.type)
            }
            fds = 0
        case .request:
            guard let rule = rule(header.type), rule.from == side else { throw .unknownMessage(header.type) }
            fds = rule.requestFDs.count
        case .reply, .error, .item, .end:
            guard let rule = rule(header.type), rule.from == side.other, answers(header.kind, rule) else {
                throw .unknownMessage(header.type)
            }
            fds = header.kind == .reply ? rule.replyFDs.count : header.kind == .item ? rule.itemFDs.count : 0
        }
        if (header.requestID == 0) != (header.kind == .control) { throw .badRequestID(header.requestID) }
        if header.deadline != 0 && header.kind != .request { throw .badDeadline(header.deadline) }
        if Int(header.fdCount) != fds { throw .wrongFDs(header.fdCount) }
    }

    /// Replies answer calls, items and an end answer streams, an error answers both.
    private static func answers(_ kind: FrameKind, _ rule: MessageRule) -> Bool {
        kind == .error || (kind == .reply) != rule.isStream
    }
}
