// A stream of ours in flight, with its types. `Channel` knows it as a PendingRequest.

import Posix
import Wire

/// A stream in flight. Silent once it is abandoned, whatever is still under way.
final class PendingStream<Stream: WireStream>: PendingRequest {
    private let request: Stream
    private var onItem: ((Stream.Item, consuming FDBundle) -> Void)?
    private var onEnd: ((Failure?) -> Void)?

    init(
        _ request: Stream, onItem: @escaping (Stream.Item, consuming FDBundle) -> Void,
        onEnd: @escaping (Failure?) -> Void
    ) {
        self.request = request
        self.onItem = onItem
        self.onEnd = onEnd
        super.init(Stream.rule, deadline: .max, fds: FDBundle())
    }

    override func append(to queue: inout OutboundQueue, _ header: FrameHeader, limit: Int) throws(WireError) {
        try queue.append(request, header, limit: limit)
    }

    override func item(_ body: ArraySlice<UInt8>, _ fds: consuming FDBundle) throws(WireError) {
        let item = try Stream.Item.decoded(body)
        onItem?(item, fds)
    }

    override func end() { onEnd?(nil) }
    override func fail(_ failure: Failure) { onEnd?(failure) }

    override func silence() {
        onItem = nil
        onEnd = nil
    }
}
