// A client without a loop: one call at a time over a blocking socket. For tests and the benchmark; the daemons use
// `LinkClient`.

import Link
package import Posix
package import Wire

/// After it has thrown `.disconnected` or a violation, it is of no more use.
package final class BlockingClient<Edge: WireEdge> {
    private let socket: FileDescriptor
    private var session: Session
    private var outbound = OutboundQueue()

    package convenience init(path: String, role: Role = Edge.client) throws(Failure) {
        let socket: FileDescriptor
        do {
            socket = try Posix.connectUnix(path, nonBlocking: false)
        } catch {
            throw Failure(.disconnected, error.description)
        }
        try self.init(socket, role: role)
    }

    /// `socket` is connected and blocks. Returns when both hellos have passed.
    package init(_ socket: consuming FileDescriptor, role: Role = Edge.client) throws(Failure) {
        self.socket = socket
        session = Session(EdgeTable(Edge.self), side: .client, role: role)
        let header = FrameHeader(type: Hello.type, kind: .control, requestID: 0, bodyLength: 0)
        try encode(session.hello, header, FDBundle(), "Hello")
        // A server that refuses us has closed already; what it said is there to be read all the same.
        try? flush()
        while !session.isReady {
            switch try nextEvent() {
            case .goodbye(let failure): throw failure
            default: break
            }
        }
    }

    /// Sends the request and waits for its answer, or throws the failure that the server answered.
    package func call<Call: WireCall>(
        _ request: Call, fds: consuming FDBundle = FDBundle()
    ) throws(Failure) -> BlockingReply<Call.Reply> where Call.Edge == Edge {
        let own = try send(request, Call.rule, fds)
        while true {
            switch try nextEvent() {
            case .reply(let id, let body, let fds):
                if id == own { return BlockingReply(message: try decode(body), fds: fds) }
            case .error(let id, let failure): if id == own { throw failure }
            case .goodbye(let failure): throw failure
            default: break
            }
        }
    }

    /// Opens a stream and hands over items until `body` says false, or the stream ends.
    package func open<Stream: WireStream>(
        _ request: Stream, _ body: (Stream.Item) -> Bool
    ) throws(Failure) where Stream.Edge == Edge {
        try open(request) { (item, _: consuming FDBundle) in body(item) }
    }

    /// The same, for a stream whose items bring descriptors.
    package func open<Stream: WireStream>(
        _ request: Stream, _ body: (Stream.Item, consuming FDBundle) -> Bool
    ) throws(Failure) where Stream.Edge == Edge {
        let own = try send(request, Stream.rule, FDBundle())
        while true {
            switch try nextEvent() {
            case .item(let id, let range, let fds):
                if id == own, !body(try decode(range), fds) { return try abandon(own) }
            case .end(let id): if id == own { return }
            case .error(let id, let failure): if id == own { throw failure }
            case .goodbye(let failure): throw failure
            default: break
            }
        }
    }

    /// The end, which is still to come, is passed over by whoever reads next.
    private func abandon(_ id: UInt64) throws(Failure) {
        guard session.abandon(id) else { return }
        let header = FrameHeader(type: Abandon.type, kind: .control, requestID: 0, bodyLength: 0)
        try encode(Abandon(requestId: id), header, FDBundle(), "Abandon")
        try flush()
    }

    private func send<Request: WireRequest>(
        _ request: Request, _ rule: MessageRule, _ fds: consuming FDBundle
    ) throws(Failure) -> UInt64 {
        switch session.begin(rule.type, fds: fds.count) {
        case .wait: throw Failure(.windowExceeded, "the window is full", place: rule.name)
        case .refuse(let failure): throw failure
        case .send(let id):
            let header = FrameHeader(
                type: rule.type, kind: .request, requestID: id, bodyLength: 0, fdCount: UInt8(fds.count))
            try encode(request, header, fds, rule.name)
            try flush()
            return id
        }
    }

    private func encode<Message: WireMessage>(
        _ message: Message, _ header: FrameHeader, _ fds: consuming FDBundle, _ place: String
    ) throws(Failure) {
        do {
            try outbound.append(message, header, limit: session.sendLimit, fds: fds)
        } catch {
            throw Failure(encoding: error, place: place)
        }
    }

    private func flush() throws(Failure) {
        let raw = socket.raw
        do {
            _ = try outbound.flush { (bytes, fds) throws(PosixError) in try Posix.sendMessage(raw, bytes, fds: fds) }
        } catch {
            throw Failure(.disconnected, error.description)
        }
    }

    private func nextEvent() throws(Failure) -> SessionEvent {
        while true {
            if let event = try session.next() { return event }
            try read()
        }
    }

    private func read() throws(Failure) {
        let raw = socket.raw
        let outcome: ReadOutcome
        do {
            outcome = try session.fill { (buffer, offset, fds) throws(PosixError) in
                try Posix.receiveMessage(raw, into: &buffer, at: offset, fds: &fds)
            }
        } catch {
            throw Failure(.disconnected, error.description)
        }
        if outcome == .endOfFile { throw Failure(.disconnected, "the other side has closed") }
    }

    private func decode<Message: WireMessage>(_ body: Range<Int>) throws(Failure) -> Message {
        do {
            return try Message.decoded(session.bytes(body))
        } catch {
            throw Failure(error.code, error.description)
        }
    }
}
