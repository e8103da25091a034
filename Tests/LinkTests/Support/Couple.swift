// A server and a client connection of one edge over a socket pair, on one loop.

import Endpoints
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

    /// `clock`: the loop's.
    init(
        _ handlers: Handlers<Edge>, settings: LinkSettings = LinkSettings(),
        clock: @escaping () -> UInt64 = Posix.monotonicNow
    ) throws {
        let loop = try PollLoop(clock: clock)
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
