// A request of ours that has not been completed: what to send, and whom to tell. `Channel` holds one per request; the
// two subclasses know the types.

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
    func item(_ body: ArraySlice<UInt8>, _ fds: consuming FDBundle) throws(WireError) {}
    /// A stream has ended well.
    func end() {}
    /// Nobody wants the answer any more: nobody is told anything.
    func silence() {}
    /// No answer, or an error as the answer.
    func fail(_ failure: Failure) {}
}
