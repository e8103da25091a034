// A client connection whose server is played by hand, on one loop.

import Endpoints
import Link
import Posix
import Wire

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
