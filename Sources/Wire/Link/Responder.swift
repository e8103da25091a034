// The right to answer one call. Handlers get one each and may keep it as long as they need.

package import Posix
package import Wire

/// Exactly one terminal frame: the first answer counts, later ones do nothing, and who drops it without an answer has
/// answered `internal`. Harmless after the connection is gone. Lives on the loop's thread.
package final class Responder<Reply: WireMessage> {
    private var channel: Channel?
    private let id: UInt64
    private let type: UInt16
    /// Monotonic nanoseconds; `.max`: none.
    private let deadline: UInt64

    init(_ channel: Channel, _ request: IncomingRequest) {
        self.channel = channel
        id = request.id
        type = request.type
        deadline = request.deadline == 0 ? .max : channel.loop.now &+ UInt64(request.deadline) &* 1_000_000
    }

    package func reply(_ reply: Reply) {
        take()?.reply(id, type, reply, FDBundle())
    }

    /// The descriptor is ours until it is sent, then closed.
    package func reply(_ reply: Reply, fd: consuming FileDescriptor) {
        take()?.reply(id, type, reply, FDBundle(fd))
    }

    package func fail(_ failure: Failure) {
        take()?.fail(id, type, failure)
    }

    /// What is left of the requester's patience; nil: it waits for ever. Never negative; nothing once it has its
    /// answer.
    package var remaining: Duration? {
        if deadline == .max { return nil }
        guard let now = channel?.loop.now else { return .zero }
        return .nanoseconds(Int64(clamping: deadline > now ? deadline - now : 0))
    }

    private func take() -> Channel? {
        defer { channel = nil }
        return channel
    }

    deinit {
        channel?.fail(id, type, Failure(.internal, "no answer was given"))
    }
}
