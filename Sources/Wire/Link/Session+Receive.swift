// Checks 3 to 7 on a received frame, and what it means.

import Posix
package import Wire

extension Session {
    /// The next event among the bytes that were read; nil: read more. What it throws is a violation by the peer: send
    /// it as a Goodbye and close.
    package mutating func next() throws(Failure) -> SessionEvent? {
        while let frame = try nextFrame() {
            if let event = try accept(frame) { return event }
        }
        return nil
    }

    private mutating func nextFrame() throws(Failure) -> Frame? {
        do {
            return try decoder.next()
        } catch {
            throw Failure(error.code, error.description)
        }
    }

    private mutating func accept(_ frame: consuming Frame) throws(Failure) -> SessionEvent? {
        switch frame.header.kind {
        case .control: return try acceptControl(frame)
        case .request: return try acceptRequest(frame)
        case .reply, .error, .item, .end: return try acceptAnswer(frame)
        }
    }

    // MARK: control

    private mutating func acceptControl(_ frame: consuming Frame) throws(Failure) -> SessionEvent? {
        let header = frame.header
        switch header.type {
        case Hello.type: if isReady { throw Failure(.unpermitted, "a second hello", place: "Hello") }
        case Goodbye.type: break
        case Abandon.type: if !isReady { throw Failure(.unpermitted, "before the hello", place: "Abandon") }
        default: throw Failure(.unpermitted, "no control message \(header.type)")
        }
        try checkDescriptors(frame, [], "control")
        if header.requestID != 0 || header.deadline != 0 {
            throw Failure(.malformed, "a control frame has neither request id nor deadline")
        }
        switch header.type {
        case Goodbye.type:
            let goodbye: Goodbye = try decode(frame.body, "Goodbye")
            return .goodbye(Failure(ErrorCode(rawValue: goodbye.code), goodbye.text))
        case Abandon.type: return abandoned(try decode(frame.body, "Abandon"))
        default:
            try meet(try decode(frame.body, "Hello"))
            return .ready
        }
    }

    /// Crossed with the terminal frame, or about a call, whose answer is on its way whatever the requester wants:
    /// nothing to do, and nothing kept, however many of these come.
    private func abandoned(_ message: Abandon) -> SessionEvent? {
        guard let index = incoming.index(of: message.requestId) else { return nil }
        let rule = edge.rules[incoming[index]]
        return rule.isStream ? .abandoned(id: message.requestId, type: rule.type) : nil
    }

    /// Negotiation. Each side announces what it takes; the other keeps to it.
    private mutating func meet(_ peer: Hello) throws(Failure) {
        if peer.magic != Self.magic { throw Failure(.badMagic, "not Bulkhead's protocol", place: "Hello.magic") }
        if peer.major != edge.major {
            throw Failure(
                .versionRefused, "this side speaks \(edge.name) \(edge.major).\(edge.minor)", place: "Hello.major")
        }
        let common = min(peer.minorHighest, edge.minor)
        if peer.minorLowest > peer.minorHighest || common < peer.minorLowest {
            throw Failure(
                .versionRefused, "this side speaks \(edge.name) \(edge.major).\(edge.minor)", place: "Hello.minor")
        }
        let expected = edge.role(of: side.other)
        if peer.role != expected {
            throw Failure(.roleRefused, "the other side of \(edge.name) is \(expected)", place: "Hello.role")
        }
        if peer.frameLimit < Self.leastFrameLimit { throw Failure(.malformed, "too small", place: "Hello.frame_limit") }
        if peer.window == 0 { throw Failure(.malformed, "zero", place: "Hello.window") }
        minor = common
        sendLimit = min(edge.frameLimit, Int(peer.frameLimit))
        peerWindow = Int(peer.window)
        isReady = true
    }

    /// Room for the largest error frame: whoever cannot take that cannot be told why.
    private static var leastFrameLimit: UInt32 { 1_024 }

    // MARK: requests

    private mutating func acceptRequest(_ frame: consuming Frame) throws(Failure) -> SessionEvent? {
        let header = frame.header
        let rule = try knownRule(header, from: side.other)
        guard isReady else { throw Failure(.unpermitted, "before the hello", place: name(rule)) }
        guard edge.permits(rule, in: phase) else {
            throw Failure(.unpermitted, "not permitted in phase \(phaseName)", place: name(rule))
        }
        if header.requestID == 0 { throw Failure(.malformed, "request id 0", place: name(rule)) }
        if header.requestID <= lastIncoming {
            throw Failure(.unpermitted, "request id \(header.requestID) was there before", place: name(rule))
        }
        try checkDescriptors(frame, edge.rules[rule].requestFDs, name(rule))
        lastIncoming = header.requestID
        let request = IncomingRequest(
            id: header.requestID, rule: rule, type: header.type, deadline: header.deadline, body: frame.body)
        return .request(request, Self.descriptors(frame))
    }

    // MARK: answers

    private mutating func acceptAnswer(_ frame: consuming Frame) throws(Failure) -> SessionEvent? {
        let header = frame.header
        let rule = try knownRule(header, from: side)
        let isStream = edge.rules[rule].isStream
        if header.kind != .error && (header.kind == .reply) == isStream {
            throw Failure(.unpermitted, "\(header.kind) is no answer to this", place: name(rule))
        }
        guard isReady, let index = outgoing.index(of: header.requestID), outgoing[index].rule == rule else {
            throw Failure(.unpermitted, "\(header.kind) without a request", place: name(rule))
        }
        try checkDescriptors(frame, answerFDs(header.kind, rule), name(rule))
        if header.deadline != 0 { throw Failure(.malformed, "a deadline on an answer", place: name(rule)) }
        if header.kind == .end && header.bodyLength != 0 {
            throw Failure(.malformed, "\(WireError.trailingBytes)", place: name(rule))
        }
        var failure: Failure?
        if header.kind == .error { failure = try decode(frame.body, name(rule)) as Failure }
        let isAbandoned = outgoing[index].isAbandoned
        if header.kind != .item { outgoing.remove(header.requestID) }
        if header.kind == .reply || header.kind == .end, let next = edge.rules[rule].next { phase = next }
        return isAbandoned ? .answerIgnored : Self.answer(frame, failure)
    }

    private func answerFDs(_ kind: FrameKind, _ rule: Int) -> [FDKind] {
        switch kind {
        case .reply: edge.rules[rule].replyFDs
        case .item: edge.rules[rule].itemFDs
        default: []
        }
    }

    private static func answer(_ frame: consuming Frame, _ failure: Failure?) -> SessionEvent {
        let id = frame.header.requestID
        if let failure { return .error(id: id, failure) }
        switch frame.header.kind {
        case .item:
            let body = frame.body
            return .item(id: id, body: body, descriptors(frame))
        case .end: return .end(id: id)
        default:
            let body = frame.body
            return .reply(id: id, body: body, descriptors(frame))
        }
    }

    // MARK: parts

    /// Is there such a message, and may the side that this frame implies ask it?
    private func knownRule(_ header: FrameHeader, from asker: Side) throws(Failure) -> Int {
        guard let rule = edge.index(of: header.type) else {
            throw Failure(.unpermitted, "no message \(header.type) on \(edge.name)")
        }
        guard edge.rules[rule].from == asker else {
            throw Failure(.unpermitted, "from the wrong side", place: name(rule))
        }
        guard !isReady || edge.rules[rule].since <= minor else {
            throw Failure(.unpermitted, "not in version \(edge.major).\(minor)", place: name(rule))
        }
        return rule
    }

    private func checkDescriptors(
        _ frame: borrowing Frame, _ expected: [FDKind], _ place: @autoclosure () -> String
    ) throws(Failure) {
        let count = Int(frame.header.fdCount)
        if expected.isEmpty && count == 0 && frame.fdsAreComplete { return }
        guard count == expected.count else {
            throw Failure(.wrongFds, "\(expected.count) descriptors expected, \(count) announced", place: place())
        }
        guard frame.fdsAreComplete else {
            throw Failure(.wrongFds, "\(count) descriptors announced, others came", place: place())
        }
        for (raw, kind) in zip(frame.fds.raws, expected) where !fdIs(raw, kind) {
            throw Failure(.wrongFds, "a descriptor is not a \(kind)", place: place())
        }
    }

    private func decode<Message: WireMessage>(
        _ body: Range<Int>, _ place: @autoclosure () -> String
    ) throws(Failure) -> Message {
        do {
            return try Message.decoded(decoder.buffer[body])
        } catch {
            throw Failure(error.code, error.description, place: place())
        }
    }

    private static func descriptors(_ frame: consuming Frame) -> FDBundle { frame.fds }
}
