// A server of one edge on a loop of its own, in this thread, with a real listening socket; peers connect to it and the
// test turns the loop.

import Endpoints
import Files
import Link
import Posix
import Testing
import Wire

/// What went wrong in a test's own machinery.
struct TestTrouble: Error { let text: String }

/// Turns loops until something has come true; the limit only ends a test that fails.
func turn(_ loop: PollLoop, _ what: String = "", until isDone: () throws -> Bool) throws {
    let limit = Posix.monotonicNow() + 10_000_000_000
    while try !isDone() {
        if Posix.monotonicNow() > limit { throw TestTrouble(text: "waited in vain: \(what)") }
        loop.runPass(waiting: .milliseconds(20))
    }
}

/// A directory for sockets.
final class Scratch {
    let path: String

    init() throws {
        path = "/tmp/bulkhead-link-\(Bytes16.random().hex)"
        try Posix.mkdir(path, mode: 0o700)
    }

    deinit {
        for name in (try? Posix.directoryEntries(path)) ?? [] { try? Posix.unlink("\(path)/\(name)") }
        try? Posix.rmdir(path)
    }
}

/// Descriptors open in this process.
func openDescriptors() throws -> Int { try Posix.directoryEntries("/proc/self/fd").count }

final class Rig<Edge: ProbeEdge> {
    let loop: PollLoop
    let scratch: Scratch
    let seen = Seen()
    let server: LinkServer<Edge>
    let path: String

    init(
        uid: UInt32 = Posix.userID, settings: LinkSettings = LinkSettings(), connectionLimit: Int = 8
    ) throws {
        loop = try PollLoop()
        scratch = try Scratch()
        path = "\(scratch.path)/socket"
        let seen = seen
        server = try LinkServer(
            loop: loop, listener: try Posix.listenUnix(path, mode: 0o600), peerUID: uid,
            handlers: Edge.handlers(seen), connectionLimit: connectionLimit, settings: settings,
            onConnect: { _ in seen.connects += 1 }, onDisconnect: { seen.disconnects.append($1) })
    }

    func connect() throws -> RawPeer { RawPeer(try Posix.connectUnix(path)) }

    func wait(_ what: String = "", until isDone: () throws -> Bool) throws {
        try turn(loop, what, until: isDone)
    }

    /// Waits until the server has closed this connection.
    func waitForEnd(_ peer: RawPeer, _ what: String = "") throws {
        try wait("end of \(what)") {
            try peer.read()
            return peer.isEnded
        }
    }

    /// A client that keeps to the rules is served.
    func serveGoodClient(_ what: String = "") throws {
        let peer = try connect()
        peer.send(try .hello(Edge.self))
        peer.send(try Edge.probeFrame(id: 1))
        try wait("an answer for a good client after \(what)") {
            try peer.read()
            return peer.isEnded || !peer.answers(.reply).isEmpty
        }
        try #require(peer.answers(.reply).count == 1, "a good client after \(what)")
    }
}
