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
