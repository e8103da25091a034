// A request of ours that has not been completed: what to send, and whom to tell. `Channel` holds one per request; the two
// subclasses know the types.

import Posix
import Wire

/// Completed exactly once: by its answer, by its deadline, or by the end of the connection.
class PendingRequest {
    let type: UInt16
    let name: String
    /// Monotonic nanoseconds; `.max`: none.
    let deadline: UInt64
    private var fds: FDBundle

    init(_ rule: MessageRule, deadline: UInt64, fds: consuming FDBundle) {
        type = rule.type
        name = rule.name
        self.deadline = deadline
        self.fds = fds
    }

    var fdCount: Int { fds.count }

    func takeFDs() -> FDBundle {
        var taken = FDBundle()
        swap(&taken, &fds)
        return taken
    }

    /// Encodes the request's frame.
    func append(to queue: inout OutboundQueue, _ header: FrameHeader, limit: Int) throws(WireError) {}
    /// The answer to a call. Throws, without having told anybody, if it does not decode.
    func reply(_ body: ArraySlice<UInt8>, _ fds: consuming FDBundle) throws(WireError) {}
    /// An item of a stream. Throws if it does not decode.
    func item(_ body: ArraySlice<UInt8>) throws(WireError) {}
    /// A stream has ended well.
    func end() {}
    /// No answer, or an error as the answer.
    func fail(_ failure: Failure) {}
}

/// A call in flight.
final class PendingCall<Call: WireCall>: PendingRequest {
    private let request: Call
    private let completion: (Result<Call.Reply, Failure>, consuming FDBundle) -> Void

    init(
        _ request: Call, deadline: UInt64, fds: consuming FDBundle,
        _ completion: @escaping (Result<Call.Reply, Failure>, consuming FDBundle) -> Void
    ) {
        self.request = request
        self.completion = completion
        super.init(Call.rule, deadline: deadline, fds: fds)
    }

    override func append(to queue: inout OutboundQueue, _ header: FrameHeader, limit: Int) throws(WireError) {
        try queue.append(request, header, limit: limit, fds: takeFDs())
    }

    override func reply(_ body: ArraySlice<UInt8>, _ fds: consuming FDBundle) throws(WireError) {
        let reply = try Call.Reply.decoded(body)
        completion(.success(reply), fds)
    }

    override func fail(_ failure: Failure) { completion(.failure(failure), FDBundle()) }
}

/// A stream in flight.
final class PendingStream<Stream: WireStream>: PendingRequest {
    private let request: Stream
    private let onItem: (Stream.Item) -> Void
    private let onEnd: (Failure?) -> Void

    init(_ request: Stream, onItem: @escaping (Stream.Item) -> Void, onEnd: @escaping (Failure?) -> Void) {
        self.request = request
        self.onItem = onItem
        self.onEnd = onEnd
        super.init(Stream.rule, deadline: .max, fds: FDBundle())
    }

    override func append(to queue: inout OutboundQueue, _ header: FrameHeader, limit: Int) throws(WireError) {
        try queue.append(request, header, limit: limit)
    }

    override func item(_ body: ArraySlice<UInt8>) throws(WireError) { onItem(try Stream.Item.decoded(body)) }
    override func end() { onEnd(nil) }
    override func fail(_ failure: Failure) { onEnd(failure) }
}
