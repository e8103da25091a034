// One boundary between two processes, as its schema file describes it, and the checks of a frame that need nothing
// but the schema. Phases, windows and the matching of answers to requests are Link's.

/// Generated for every edge of `proto-spec`.
package protocol WireEdge: SendableMetatype {
    /// The file's name without `.wire`; also the name of the socket.
    static var name: String { get }
    static var number: UInt8 { get }
    static var major: UInt16 { get }
    /// The highest minor version that this build speaks; it speaks all from 0.
    static var minor: UInt16 { get }
    /// The most that a length word may say, in bytes.
    static var frameLimit: Int { get }
    static var client: Role { get }
    static var server: Role { get }
    /// Names of the phases; a connection begins in the first.
    static var phases: [String] { get }
    /// SHA-256 of the canonical schema, as in versions.lock.
    static var schemaHash: String { get }
    /// By ascending type.
    static var rules: [MessageRule] { get }
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
            guard header.type == Hello.type || header.type == Goodbye.type else { throw .unknownMessage(header.type) }
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
