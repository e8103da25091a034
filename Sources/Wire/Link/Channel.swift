// One connection, without its types: transport, session, queue and tables on a poll loop. `Connection` is its typed
// face; `Responder` and `ItemSink` send through it.
//
// The loop's handler keeps a channel alive until it goes down; then everything that waits is told, once, and it is
// an empty shell that Responders and ItemSinks may still hold.

import Posix
import Wire

/// Lives on its loop's thread.
final class Channel {
    let loop: PollLoop
    let edge: EdgeTable
    let settings: LinkSettings
    private(set) var transport: any ByteTransport
    let handlers: HandlerTable
    var session: Session
    var outbound = OutboundQueue()
    /// Requests of ours in flight.
    var calls = RequestTable<PendingRequest>()
    /// Requests of ours that wait for the hello or the window, oldest first.
    var waiting: [PendingRequest] = []
    /// Streams of the peer that have not ended.
    var streams = RequestTable<OpenStream>()

    private(set) var isOpen = true
    /// While frames of one read are handled, answers are gathered and written together.
    var isCorked = false
    var isWaitingToWrite = false
    private(set) var isEnding = false
    /// The peer has ended it with a Goodbye.
    var wasDismissed = false

    private var onUp: (() -> Void)?
    private var onDown: ((Failure) -> Void)?
    private var helloTimer: TimerID?
    private var deadlineTimer: TimerID?
    private var deadlineAt = UInt64.max

    init(
        _ loop: PollLoop, _ transport: any ByteTransport, _ edge: EdgeTable, _ side: Side, _ role: Role,
        _ handlers: HandlerTable, _ settings: LinkSettings, onUp: @escaping () -> Void,
        onDown: @escaping (Failure) -> Void
    ) {
        self.loop = loop
        self.transport = transport
        self.edge = edge
        self.settings = settings
        self.handlers = handlers
        self.onUp = onUp
        self.onDown = onDown
        session = Session(edge, side: side, role: role, window: settings.window)
    }

    /// Begins to listen; the client says hello. The server says its own when it has taken the client's, so that a
    /// client that hears one knows that it is welcome. What goes wrong here is reported by `onDown`, later.
    func start() {
        do {
            try transport.start(on: loop) { self.isReady($0) }
        } catch {
            return endSoon(Failure(.disconnected, error.description))
        }
        // Strong, and cancelled in `goDown`: a weak reference would make every later retain of this object a slow one.
        helloTimer = loop.after(settings.helloDeadline) {
            self.violation(Failure(.deadlineExceeded, "no hello", place: "Hello"))
        }
        if session.side == .client {
            sendControl(session.hello, Hello.type)
            flush()
        }
    }

    private func isReady(_ interest: Interest) {
        if interest.contains(.readable) || interest.contains(.hangup) { receive() }
        if isOpen && interest.contains(.writable) { flush() }
    }

    /// Both hellos have passed.
    func isUp() {
        if let helloTimer { loop.cancel(helloTimer) }
        helloTimer = nil
        if session.side == .server { sendControl(session.hello, Hello.type) }
        onUp?()
        sendWaiting()
    }
}

// MARK: deadlines

extension Channel {
    /// One timer for all requests: most are answered long before, and arming one each would cost more than the call.
    func watchDeadline(_ deadline: UInt64) {
        if deadline >= deadlineAt { return }
        if let deadlineTimer { loop.cancel(deadlineTimer) }
        deadlineAt = deadline
        let now = loop.now
        let delay = deadline > now ? deadline - now : 0
        deadlineTimer = loop.after(.nanoseconds(Int64(clamping: delay))) { self.deadlineHasCome() }
    }

    private func deadlineHasCome() {
        deadlineTimer = nil
        deadlineAt = .max
        guard isOpen else { return }
        let now = loop.now
        var expired = session.expire(now).compactMap { calls.remove($0) }
        expired += waiting.filter { $0.deadline <= now }
        waiting.removeAll { $0.deadline <= now }
        let rest = waiting.map(\.deadline).min() ?? .max
        watchDeadline(min(session.nextDeadline ?? .max, rest))
        for request in expired { request.fail(Failure(.deadlineExceeded, "no answer in time")) }
    }
}

// MARK: the end

extension Channel {
    /// The peer broke the protocol (or is refused): it is told why, if it reads, and the connection ends.
    func violation(_ failure: Failure) {
        guard isOpen else { return }
        sendControl(Goodbye(code: failure.code, text: failure.text), Goodbye.type)
        // Best effort: a peer that does not read will not be waited for.
        _ = try? outbound.flush { (bytes, fds) throws(PosixError) in try transport.write(bytes, fds: fds) }
        goDown(failure)
    }

    /// Ends the connection later in this pass: the caller is in the middle of something.
    func endSoon(_ failure: Failure, sayingGoodbye: Bool = false) {
        if isEnding { return }
        isEnding = true
        loop.soon {
            if sayingGoodbye { self.violation(failure) } else { self.goDown(failure) }
        }
    }

    /// The stream takes no more bytes. The peer may have said why before it closed: what it sent is read before the end
    /// is believed.
    func endAfterLastWords(_ failure: Failure) {
        if isEnding { return }
        isEnding = true
        loop.soon {
            var readsLeft = 64
            while readsLeft > 0, self.receive() { readsLeft -= 1 }
            self.goDown(failure)
        }
    }

    /// Closes, and tells everybody who waits, once.
    func goDown(_ failure: Failure) {
        guard isOpen else { return }
        isOpen = false
        transport.close()
        if let helloTimer { loop.cancel(helloTimer) }
        if let deadlineTimer { loop.cancel(deadlineTimer) }
        outbound = OutboundQueue()
        let open = streams.removeAll()
        let outstanding = calls.removeAll() + waiting
        waiting = []
        let down = onDown
        onDown = nil
        onUp = nil
        let lost = Failure(.disconnected, failure.text, place: failure.place)
        for request in outstanding { request.fail(lost) }
        for stream in open { stream.close() }
        down?(failure)
    }
}
