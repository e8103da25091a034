// A runner that does what a test says. It outlives its connections, as the real one does: its records are numbered
// through, and what is not acknowledged is sent again.

import Endpoints
import Link
import Posix
import Wire

final class ScriptedRunner {
    let id: Bytes16
    private let loop: PollLoop
    private(set) var transport: FramedTransport?
    private var connection: Connection<RunnerEdge>?
    private(set) var sink: ItemSink<RunnerEdge.Records.Item>?

    private(set) var records: [RunnerEdge.Record] = []
    private var sent = 0
    private(set) var acknowledged: UInt64 = 0
    private(set) var attempt: Attempt?
    private(set) var job: RunnerEdge.RunJob?
    private(set) var jobsTaken = 0
    private(set) var source: [UInt8] = []
    private(set) var cancelGrace: UInt32?
    private(set) var hasQuit = false

    /// Written before the answer to the preamble; in the engine's frames.
    var garbage: [UInt8] = []
    var answersPreamble = true
    /// The nonce that the answer gives back is wrong.
    var answersOldNonce = false
    /// How many connections it ends with a Goodbye in place of its hello, as one that hears bytes of an older stream.
    var complaints = 0
    /// What it does not answer, as if it were stopped.
    var isDeaf = false
    private var unanswered: [AnyObject] = []
    /// How often it was told what it knew: a question whether it is there.
    private(set) var questions = 0
    /// And how often it was told anything of what is on disk.
    private(set) var asked = 0
    /// A handler that answers with a failure in place of a reply.
    var refusesJob = false
    var resumeReply: RunnerEdge.Resume.Reply?
    /// Called when relayd has the connection's hello: for what a hostile runner says then.
    var onUp: (() -> Void)?
    /// Held back until it is set: nothing is sent of the records.
    var sends = true { didSet { pump() } }

    init(_ loop: PollLoop, id: Bytes16 = Sample.runner) {
        self.loop = loop
        self.id = id
    }

    /// A new attach stream; returns the end that the engine holds.
    func connect(framed: Bool = true) throws -> FileDescriptor {
        disconnect()
        let ends = try Posix.socketPair()
        let far = try ends.second.duplicate()
        transport = try FramedTransport(loop, ends.keepFirst(), framed: framed) { [weak self] transport, preamble in
            self?.answer(transport, preamble)
        }
        return far
    }

    func disconnect() {
        connection?.close()
        connection = nil
        transport?.close()
        transport = nil
        sink = nil
    }

    private func answer(_ transport: FramedTransport, _ preamble: [UInt8]) {
        guard Array(preamble[..<32]) == FramedTransport.magic + id.array else { return }
        if !garbage.isEmpty { transport.say(garbage) }
        guard answersPreamble else { return }
        transport.say(answersOldNonce ? preamble[..<32] + [UInt8](repeating: 0, count: 16) : preamble)
        sent = Int(acknowledged)
        guard complaints == 0 else {
            complaints -= 1
            return transport.dismiss(Self.goodbye)
        }
        connection = try? Connection(
            loop: loop, transport: transport, server: handlers(), onUp: { [weak self] in self?.onUp?() })
    }

    private static let goodbye: [UInt8] = {
        var body = WireWriter()
        try? Goodbye(code: ErrorCode.unpermitted.rawValue, text: "before the hello").encode(to: &body)
        var header = WireWriter()
        header.u32(UInt32(16 + body.bytes.count))
        header.u16(Goodbye.type)
        header.u8(6)
        header.u8(0)
        header.u64(0)
        header.u32(0)
        return header.bytes + body.bytes
    }()

    /// The same runner on another loop: what a runner remembers.
    func takeOver(_ other: ScriptedRunner) {
        records = other.records
        acknowledged = other.acknowledged
        attempt = other.attempt
    }

    func emit(_ records: [RunnerEdge.Record]) {
        self.records += records
        pump()
    }

    private func pump() {
        guard sends, let sink else { return }
        // The backpressure of the real one: no more than 1 MiB that is not acknowledged.
        while sent < records.count, sent - Int(acknowledged) < 32, sink.pendingBytes < 1 << 20 {
            sent += 1
            sink.send(.init(number: UInt64(sent), record: records[sent - 1]))
        }
    }

    private func handlers() -> Handlers<RunnerEdge> {
        var handlers = Handlers<RunnerEdge>()
        handlers.on(RunnerEdge.Resume.self) { [unowned self] request, _, responder in
            acknowledged = max(acknowledged, request.durable)
            sent = Int(request.durable)
            responder.reply(
                resumeReply
                    ?? .init(
                        attempt: attempt, sourceReceived: UInt64(source.count), lastRecord: UInt64(records.count)))
        }
        handlers.on(RunnerEdge.RunJob.self) { [unowned self] request, _, responder in
            guard !refusesJob else { return responder.fail(Failure(.internal, "no")) }
            guard !isDeaf else { return unanswered.append(responder) }
            jobsTaken += 1
            job = request
            attempt = request.attempt
            responder.reply(.init())
        }
        handlers.on(RunnerEdge.PutSource.self) { [unowned self] request, _, responder in
            guard request.offset == UInt64(source.count) else { return responder.fail(Failure(.invalid, "offset")) }
            source += request.bytes
            responder.reply(.init(received: UInt64(source.count)))
        }
        handlers.on(RunnerEdge.Records.self) { [unowned self] _, sink in
            self.sink = sink
            pump()
        }
        handlers.on(RunnerEdge.Acknowledge.self) { [unowned self] request, _, responder in
            asked += 1
            if request.durable == acknowledged { questions += 1 }
            guard !isDeaf else { return unanswered.append(responder) }
            acknowledged = max(acknowledged, request.durable)
            responder.reply(.init())
            pump()
        }
        handlers.on(RunnerEdge.Cancel.self) { [unowned self] request, _, responder in
            cancelGrace = request.graceSeconds
            responder.reply(.init())
        }
        handlers.on(RunnerEdge.Quit.self) { [unowned self] _, _, responder in
            hasQuit = true
            responder.reply(.init())
        }
        return handlers
    }
}
