// One call on one connection to the engine's socket, driven by the loop: connect, send, read, answer once. It keeps
// itself alive through the loop's handlers until then. DockerRuntime makes one per call.

import Posix
import Runtime

/// A complete answer.
struct EngineResponse: Sendable {
    let status: Int
    let body: [UInt8]
}

final class EngineCall {
    private let loop: PollLoop
    private let request: EngineRequest
    private let outgoing: [UInt8]
    private var sent = 0
    private var socket: FileDescriptor?
    private var parser: HTTPResponseParser
    private var timer: TimerID?
    private var headSeen = false
    private var onHead: ((_ status: Int) -> Void)?
    private var onEnd: ((Result<EngineResponse, RuntimeError>) -> Void)?
    private var onUpgrade: ((consuming AttachedStream) -> Void)?
    private var room = [UInt8](repeating: 0, count: 4096)

    /// `onEnd` is called once, unless the connection was upgraded: then `onUpgrade` is.
    static func run(
        _ request: EngineRequest, path: String, loop: PollLoop, onHead: ((_ status: Int) -> Void)? = nil,
        onUpgrade: ((consuming AttachedStream) -> Void)? = nil,
        onEnd: @escaping (Result<EngineResponse, RuntimeError>) -> Void
    ) {
        guard let bytes = request.bytes else {
            return loop.soon { onEnd(.failure(.refused(status: 0, "a name that cannot be sent"))) }
        }
        let call = EngineCall(request, bytes, loop)
        call.onHead = onHead
        call.onUpgrade = onUpgrade
        call.onEnd = onEnd
        call.timer = loop.after(request.deadlines.head) { call.expire() }
        // Answers never come before the caller has returned.
        loop.soon { call.connect(path) }
    }

    private init(_ request: EngineRequest, _ bytes: [UInt8], _ loop: PollLoop) {
        self.request = request
        self.loop = loop
        outgoing = bytes
        parser = HTTPResponseParser(bodyLimit: request.bodyLimit, wantsUpgrade: request.isUpgrade)
    }

    private func connect(_ path: String) {
        guard onEnd != nil else { return }
        do {
            let connected = try Posix.connectUnix(path)
            let raw = connected.raw
            socket = consume connected
            try loop.watch(raw, [.readable, .writable]) { self.ready(raw, $0) }
        } catch {
            // The engine's queue of connections is full. It empties, or the deadline comes.
            if error.isAgain {
                loop.after(.milliseconds(20)) { self.connect(path) }
            } else {
                fail(.unavailable(error.description))
            }
        }
    }

    private func ready(_ raw: Int32, _ interest: Interest) {
        if sent < outgoing.count { send(raw) }
        if interest.contains(.readable) { receive(raw) }
    }

    private func send(_ raw: Int32) {
        do throws(PosixError) {
            while sent < outgoing.count {
                guard case .bytes(let count) = try Posix.write(raw, outgoing[sent...]) else { return }
                sent += count
            }
            try loop.change(raw, .readable)
        } catch {
            // An engine may answer and close before it has read everything. If it has answered, that can still be read;
            // if not, the read says so.
            sent = outgoing.count
            receive(raw)
        }
    }

    private func receive(_ raw: Int32) {
        while socket != nil {
            let outcome: ReadOutcome
            do { outcome = try Posix.read(raw, into: &room) } catch { return fail(.unavailable(error.description)) }
            switch outcome {
            case .wouldBlock: return
            case .endOfFile:
                do { try parser.end() } catch { return fail(.unavailable(error.text)) }
                progress()
                return
            case .bytes(let count):
                do { try parser.feed(room[..<count]) } catch { return fail(.garbled(error.text)) }
                progress()
            }
        }
    }

    /// Looks at what the parser has by now.
    private func progress() {
        if parser.hasHead && !headSeen {
            headSeen = true
            if let timer, request.deadlines.end == nil { loop.cancel(timer) }
            onHead?(parser.status)
        }
        if parser.isUpgraded {
            upgrade()
        } else if parser.isComplete {
            finish(.success(EngineResponse(status: parser.status, body: parser.body)))
        }
    }

    /// The connection is a stream now, and not ours any more.
    private func upgrade() {
        guard let descriptor = release() else { return }
        // Engines before 23 call this `raw-stream`; without a terminal, which no plan has, all of them multiplex.
        let stream = AttachedStream(descriptor: descriptor, framing: .multiplexed, pending: parser.body)
        let hand = onUpgrade
        forget()
        hand?(stream)
    }

    private func release() -> FileDescriptor? {
        if let raw = socket?.raw { loop.unwatch(raw) }
        return socket.take()
    }

    private func expire() {
        fail(.unavailable("the engine did not answer in time"))
    }

    private func fail(_ error: RuntimeError) {
        finish(.failure(error))
    }

    private func finish(_ result: Result<EngineResponse, RuntimeError>) {
        _ = release()
        let end = onEnd
        forget()
        end?(result)
    }

    private func forget() {
        if let timer { loop.cancel(timer) }
        timer = nil
        onHead = nil
        onEnd = nil
        onUpgrade = nil
    }
}
