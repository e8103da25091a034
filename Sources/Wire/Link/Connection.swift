// The typed face of one connection, on either side. `LinkServer` and `LinkClient` make them over sockets; relayd and
// the runner make them over their own transports.

package import Posix
package import Wire

/// Lives on its loop's thread, and, once made, until it goes down: dropping the handle does not close it.
package final class Connection<Edge: WireEdge> {
    private let channel: Channel

    /// The client side. `onUp`: both hellos have passed. `onDown`: once, with the reason; also if it never came up.
    package init(
        loop: PollLoop, transport: any ByteTransport, client role: Role, settings: LinkSettings = LinkSettings(),
        onUp: @escaping () -> Void = {}, onDown: @escaping (Failure) -> Void = { _ in }
    ) {
        let edge = EdgeTable(Edge.self)
        channel = Channel(
            loop, transport, edge, .client, role, .none(edge), settings, onUp: onUp, onDown: onDown)
        channel.start()
    }

    /// The server side. Throws if a message has no handler.
    package convenience init(
        loop: PollLoop, transport: any ByteTransport, server handlers: Handlers<Edge>,
        settings: LinkSettings = LinkSettings(), onUp: @escaping () -> Void = {},
        onDown: @escaping (Failure) -> Void = { _ in }
    ) throws(Failure) {
        let edge = EdgeTable(Edge.self)
        let table = try handlers.table(edge, serving: .server)
        self.init(loop, transport, edge, table, settings, onUp: onUp, onDown: onDown)
    }

    /// The server side, with what a `LinkServer` has made once for all.
    init(
        _ loop: PollLoop, _ transport: any ByteTransport, _ edge: EdgeTable, _ table: HandlerTable,
        _ settings: LinkSettings, onUp: @escaping () -> Void, onDown: @escaping (Failure) -> Void
    ) {
        channel = Channel(
            loop, transport, edge, .server, edge.server, table, settings, onUp: onUp, onDown: onDown)
        channel.start()
    }

    /// Asks. The completion runs exactly once, never before this returns: with the reply and its descriptors, with the
    /// peer's failure, `.deadlineExceeded`, `.disconnected`, or with what was wrong on our side. Before the hello and
    /// beyond the peer's window, calls wait in order.
    package func call<Call: WireCall>(
        _ request: Call, deadline: Duration = .seconds(30),
        _ completion: @escaping (Result<Call.Reply, Failure>, consuming FDBundle) -> Void
    ) where Call.Edge == Edge {
        channel.start(PendingCall(request, deadline: moment(deadline), fds: FDBundle(), completion))
    }

    /// The same, with a descriptor. It is ours from here on, and closed when it is sent or the call has failed.
    package func call<Call: WireCall>(
        _ request: Call, fd: consuming FileDescriptor, deadline: Duration = .seconds(30),
        _ completion: @escaping (Result<Call.Reply, Failure>, consuming FDBundle) -> Void
    ) where Call.Edge == Edge {
        channel.start(PendingCall(request, deadline: moment(deadline), fds: FDBundle(fd), completion))
    }

    /// Opens a stream. `onEnd` runs exactly once, unless the stream is abandoned: nil after a good end, else the
    /// failure. No deadline.
    @discardableResult
    package func open<Stream: WireStream>(
        _ request: Stream, onItem: @escaping (Stream.Item) -> Void, onEnd: @escaping (Failure?) -> Void
    ) -> StreamHandle where Stream.Edge == Edge {
        open(request, onItem: { item, _ in onItem(item) }, onEnd: onEnd)
    }

    /// The same, for a stream whose items bring descriptors.
    @discardableResult
    package func open<Stream: WireStream>(
        _ request: Stream, onItem: @escaping (Stream.Item, consuming FDBundle) -> Void,
        onEnd: @escaping (Failure?) -> Void
    ) -> StreamHandle where Stream.Edge == Edge {
        let pending = PendingStream(request, onItem: onItem, onEnd: onEnd)
        channel.start(pending)
        return StreamHandle(channel, pending)
    }

    /// Closes: with a Goodbye if there is something to say. Everything that waits completes with `.disconnected`,
    /// before this returns; then `onDown`.
    package func close(_ why: Failure? = nil) {
        if let why { channel.violation(why) } else { channel.goDown(Failure(.disconnected, "closed")) }
    }

    /// Both hellos have passed, and it is not down.
    package var isReady: Bool { channel.isOpen && channel.session.isReady }

    /// False for ever once it is down.
    package var isOpen: Bool { channel.isOpen }

    /// It is down by the peer's word, and not by what we found or by the transport.
    package var wasDismissed: Bool { channel.wasDismissed }

    /// Bytes that the peer has not taken yet.
    package var pendingBytes: Int { channel.outbound.pending }

    /// The minor version that both sides speak; valid when ready.
    package var minor: UInt16 { channel.session.minor }

    private func moment(_ deadline: Duration) -> UInt64 {
        let (seconds, attoseconds) = deadline.components
        if seconds < 0 { return channel.loop.now }
        // A century is for ever; nothing here overflows.
        let whole = UInt64(min(seconds, 3_000_000_000)) * 1_000_000_000
        return channel.loop.now + whole + UInt64(max(0, attoseconds) / 1_000_000_000)
    }
}
