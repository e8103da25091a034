// A server and a client connection of one edge over a socket pair, on one loop.

import Link
import Posix
import Wire

final class Couple<Edge: WireEdge> {
    let loop: PollLoop
    let server: Connection<Edge>
    let client: Connection<Edge>
    let events: Events

    final class Events {
        var ups = 0
        var clientEnds: [Failure] = []
        var serverEnds: [Failure] = []
    }

    init(_ handlers: Handlers<Edge>, settings: LinkSettings = LinkSettings()) throws {
        let loop = try PollLoop()
        let events = Events()
        let ends = try transports()
        self.loop = loop
        self.events = events
        server = try Connection(
            loop: loop, transport: ends.0, server: handlers, settings: settings,
            onDown: { events.serverEnds.append($0) })
        client = Connection(
            loop: loop, transport: ends.1, client: Edge.client, settings: settings,
            onUp: { events.ups += 1 }, onDown: { events.clientEnds.append($0) })
    }

    func wait(_ what: String = "", until isDone: () throws -> Bool) throws {
        try turn(loop, what, until: isDone)
    }
}

/// The ends of a socket pair.
func transports() throws -> (SocketTransport, SocketTransport) {
    let pair = try Posix.socketPair()
    return (SocketTransport(try pair.first.duplicate()), SocketTransport(pair.keepSecond()))
}

/// A client connection whose server is played by hand.
final class HostileServer<Edge: WireEdge> {
    let loop: PollLoop
    let peer: RawPeer
    let client: Connection<Edge>
    let events = Couple<Edge>.Events()

    init(sayingHello: Bool = true) throws {
        let loop = try PollLoop()
        let pair = try Posix.socketPair()
        self.loop = loop
        peer = RawPeer(try pair.first.duplicate())
        let events = events
        client = Connection(
            loop: loop, transport: SocketTransport(pair.keepSecond()), client: Edge.client,
            onUp: { events.ups += 1 }, onDown: { events.clientEnds.append($0) })
        if sayingHello {
            peer.send(try .hello(Edge.self, from: .server))
            try turn(loop, "hello") { client.isReady }
        }
    }

    func wait(_ what: String = "", until isDone: () throws -> Bool) throws {
        try turn(loop, what, until: isDone)
    }

    /// Waits for the next request and returns it.
    func request(_ count: Int = 1) throws -> RawPeer.Received {
        try wait("request \(count)") {
            try peer.read()
            return peer.answers(.request).count >= count
        }
        return peer.answers(.request)[count - 1]
    }
}
