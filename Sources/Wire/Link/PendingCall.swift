// A call of ours in flight, with its types. `Channel` knows it as a PendingRequest.

import Posix
import Wire

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
