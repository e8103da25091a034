// The listening side of an edge: accepts, asks the kernel who is there, and gives each connection the same handler
// table.

package import Posix
package import Wire

/// Lives on its loop's thread.
package final class LinkServer<Edge: WireEdge> {
    private let loop: PollLoop
    private let listener: FileDescriptor
    private let peerUID: UInt32
    private let edge: EdgeTable
    private let table: HandlerTable
    private let settings: LinkSettings
    private let connectionLimit: Int
    private var connections: [ObjectIdentifier: Connection<Edge>] = [:]
    private var isClosed = false
    private let onConnect: (Connection<Edge>) -> Void
    private let onDisconnect: (Connection<Edge>, Failure) -> Void

    /// `listener` must listen and not block. `peerUID`: the one user that may connect (SO_PEERCRED); all others get a
    /// Goodbye(peer_refused). `onConnect`: both hellos have passed; `onDisconnect`: every end of such a connection,
    /// and of those that failed before. Throws if a message has no handler.
    package init(
        loop: PollLoop, listener: consuming FileDescriptor, peerUID: UInt32, handlers: Handlers<Edge>,
        connectionLimit: Int = 64, settings: LinkSettings = LinkSettings(),
        onConnect: @escaping (Connection<Edge>) -> Void = { _ in },
        onDisconnect: @escaping (Connection<Edge>, Failure) -> Void = { _, _ in }
    ) throws(Failure) {
        let edge = EdgeTable(Edge.self)
        table = try handlers.table(edge, serving: .server)
        self.edge = edge
        self.loop = loop
        self.listener = listener
        self.peerUID = peerUID
        self.connectionLimit = connectionLimit
        self.settings = settings
        self.onConnect = onConnect
        self.onDisconnect = onDisconnect
        try listen()
    }

    package var connectionCount: Int { connections.count }

    /// Takes no more connections and ends all with a reason.
    package func close(_ why: Failure = Failure(.shuttingDown, "")) {
        if isClosed { return }
        isClosed = true
        loop.unwatch(listener.raw)
        for connection in Array(connections.values) { connection.close(why) }
    }

    private func listen() throws(Failure) {
        do {
            try loop.watch(listener.raw, .readable) { [weak self] _ in self?.acceptAll() }
        } catch {
            throw Failure(.internal, error.description, place: edge.name)
        }
    }

    private func acceptAll() {
        do {
            while !isClosed, let socket = try Posix.accept(listener.raw) { admit(socket) }
        } catch {
            // Out of descriptors or memory. The listener stays readable: without a pause we would spin.
            loop.unwatch(listener.raw)
            listenAgain()
        }
    }

    private func listenAgain() {
        loop.after(.milliseconds(100)) { [weak self] in
            guard let self, !self.isClosed else { return }
            do { try self.listen() } catch { self.listenAgain() }
        }
    }

    private func admit(_ socket: consuming FileDescriptor) {
        guard let peer = try? Posix.peerCredentials(socket.raw), peer.uid == peerUID else {
            return refuse(socket, Failure(.peerRefused, "this user may not use \(edge.name)"))
        }
        if connections.count >= connectionLimit {
            return refuse(socket, Failure(.limitReached, "too many connections"))
        }
        let slot = ConnectionSlot<Edge>()
        let connection = Connection<Edge>(
            loop, SocketTransport(socket), edge, table, settings,
            onUp: { [weak self] in
                if let self, let connection = slot.connection { self.onConnect(connection) }
            },
            onDown: { [weak self] failure in
                guard let connection = slot.connection else { return }
                slot.connection = nil
                self?.ended(connection, failure)
            })
        slot.connection = connection
        connections[ObjectIdentifier(connection)] = connection
    }

    private func ended(_ connection: Connection<Edge>, _ failure: Failure) {
        connections[ObjectIdentifier(connection)] = nil
        onDisconnect(connection, failure)
    }

    /// One frame in place of a hello, best effort, and the end. Nothing that the peer sent has been looked at.
    private func refuse(_ socket: consuming FileDescriptor, _ failure: Failure) {
        var queue = OutboundQueue()
        let header = FrameHeader(type: Goodbye.type, kind: .control, requestID: 0, bodyLength: 0)
        _ = try? queue.append(Goodbye(code: failure.code, text: failure.text), header, limit: edge.frameLimit)
        let raw = socket.raw
        _ = try? queue.flush { (bytes, fds) throws(PosixError) in try Posix.sendMessage(raw, bytes, fds: fds) }
    }

    deinit {
        loop.unwatch(listener.raw)
    }
}

/// Where a connection's callbacks find it: they are made before it is.
private final class ConnectionSlot<Edge: WireEdge> {
    var connection: Connection<Edge>?
}
