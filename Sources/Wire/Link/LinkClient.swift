// The connecting side of an edge: keeps one connection to a sibling's socket, and comes back when it is lost.

package import Posix
package import Wire

/// Lives on its loop's thread.
package final class LinkClient<Edge: WireEdge> {
    private static var shortestPause: Duration { .milliseconds(10) }
    private static var longestPause: Duration { .seconds(1) }

    private let loop: PollLoop
    private let path: String
    private let role: Role
    private let settings: LinkSettings
    private var connection: Connection<Edge>?
    private var wasUp = false
    private var isStopped = true
    private var pause: Duration
    private var timer: TimerID?

    /// The link is up: both hellos have passed. After every reconnection, too.
    package var onUp: (() -> Void)?
    /// A link that was up is lost. One for every `onUp`.
    package var onDown: ((Failure) -> Void)?
    /// The server is there and will not have us (wrong user, role or version): trying goes on, at the longest pause.
    package var onRefused: ((Failure) -> Void)?
    /// Why the link is not up; nil while it is or before the first try.
    package private(set) var lastFailure: Failure?

    package init(loop: PollLoop, path: String, role: Role, settings: LinkSettings = LinkSettings()) {
        self.loop = loop
        self.path = path
        self.role = role
        self.settings = settings
        pause = Self.shortestPause
    }

    /// Begins to connect, now and whenever the link is lost.
    package func start() {
        guard isStopped else { return }
        isStopped = false
        connect()
    }

    /// Ends the link and does not come back.
    package func stop() {
        isStopped = true
        if let timer { loop.cancel(timer) }
        timer = nil
        connection?.close()
    }

    package var isReady: Bool { connection?.isReady ?? false }

    /// As `Connection.call`; fails with `.disconnected` when the link is down.
    package func call<Call: WireCall>(
        _ request: Call, deadline: Duration = .seconds(30),
        _ completion: @escaping (Result<Call.Reply, Failure>, consuming FDBundle) -> Void
    ) where Call.Edge == Edge {
        guard let connection = readyConnection else {
            let failure = whyDown(Call.rule.name)
            return loop.soon { completion(.failure(failure), FDBundle()) }
        }
        connection.call(request, deadline: deadline, completion)
    }

    /// As `Connection.call`, with a descriptor, which is closed if the link is down.
    package func call<Call: WireCall>(
        _ request: Call, fd: consuming FileDescriptor, deadline: Duration = .seconds(30),
        _ completion: @escaping (Result<Call.Reply, Failure>, consuming FDBundle) -> Void
    ) where Call.Edge == Edge {
        guard let connection = readyConnection else {
            let failure = whyDown(Call.rule.name)
            return loop.soon { completion(.failure(failure), FDBundle()) }
        }
        connection.call(request, fd: fd, deadline: deadline, completion)
    }

    /// As `Connection.open`; ends with `.disconnected` when the link is down.
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
        guard let connection = readyConnection else {
            let failure = whyDown(Stream.rule.name)
            let pending = PendingStream(request, onItem: onItem, onEnd: onEnd)
            loop.soon { pending.fail(failure) }
            return StreamHandle(nil, pending)
        }
        return connection.open(request, onItem: onItem, onEnd: onEnd)
    }

    private var readyConnection: Connection<Edge>? {
        guard let connection, connection.isReady else { return nil }
        return connection
    }

    private func whyDown(_ place: String) -> Failure {
        Failure(.disconnected, "no link to \(Edge.server): \(lastFailure?.text ?? "not connected yet")", place: place)
    }

    private func connect() {
        timer = nil
        guard !isStopped else { return }
        do {
            let transport = SocketTransport(try Posix.connectUnix(path))
            wasUp = false
            connection = Connection(
                loop: loop, transport: transport, client: role, settings: settings,
                onUp: { [weak self] in self?.cameUp() },
                onDown: { [weak self] in self?.wentDown($0) })
        } catch {
            lastFailure = Failure(.disconnected, error.description)
            connectLater()
        }
    }

    private func cameUp() {
        wasUp = true
        lastFailure = nil
        pause = Self.shortestPause
        onUp?()
    }

    private func wentDown(_ failure: Failure) {
        connection = nil
        lastFailure = failure
        if wasUp {
            wasUp = false
            onDown?(failure)
        } else if failure.errorCode != .disconnected {
            pause = Self.longestPause
            onRefused?(failure)
        }
        connectLater()
    }

    /// Twice as long each time, so that a sibling that restarts is found at once and one that is gone costs nothing.
    private func connectLater() {
        guard !isStopped, timer == nil else { return }
        timer = loop.after(pause) { [weak self] in self?.connect() }
        pause = min(pause * 2, Self.longestPause)
    }
}
