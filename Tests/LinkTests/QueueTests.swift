// A peer that does not read costs what the queue's limit says, and its connection; producers can see it coming.

import Link
import Posix
import Testing
import Wire

private typealias Edge = RunnerEdge

/// A transport that takes so many bytes and no more until it is given room.
private final class NarrowTransport: ByteTransport {
    var room = 1 << 20
    var taken: [UInt8] = []
    var arriving: [UInt8] = []
    var wantsWritable = false
    var isClosed = false
    var ready: ((Interest) -> Void)?

    func read(into buffer: inout [UInt8], at offset: Int, fds: inout FDBundle) throws(PosixError) -> ReadOutcome {
        if arriving.isEmpty { return .wouldBlock }
        let count = min(arriving.count, buffer.count - offset)
        buffer.replaceSubrange(offset..<offset + count, with: arriving.prefix(count))
        arriving.removeFirst(count)
        return .bytes(count)
    }

    func write(_ bytes: ArraySlice<UInt8>, fds: [Int32]) throws(PosixError) -> WriteOutcome {
        if room == 0 { return .wouldBlock }
        let count = min(room, bytes.count)
        room -= count
        taken += bytes.prefix(count)
        return .bytes(count)
    }

    func start(on loop: PollLoop, _ ready: @escaping (Interest) -> Void) throws(PosixError) { self.ready = ready }
    func wantWritable(_ wanted: Bool) throws(PosixError) { wantsWritable = wanted }
    func close() { isClosed = true }

    func receive(_ frames: [RawFrame]) {
        for frame in frames { arriving += frame.bytes }
        ready?(.readable)
    }
}

extension LinkTests {
    @Suite struct Queues {
        private final class Bench {
            let loop: PollLoop
            let transport = NarrowTransport()
            var sink: ItemSink<Edge.Records.Item>?
            var ends: [Failure] = []
            var closes = 0
            var connection: Connection<Edge>?

            init(_ settings: LinkSettings) throws {
                loop = try PollLoop()
                var handlers = Handlers<Edge>()
                handlers.on(Edge.Resume.self) { _, _, responder in
                    responder.reply(.init(attempt: nil, sourceReceived: 0, lastRecord: 0))
                }
                handlers.on(Edge.Records.self) { [weak self] _, sink in
                    sink.onClose = { self?.closes += 1 }
                    self?.sink = sink
                }
                handlers.refuse(Edge.Acknowledge.self)
                handlers.refuse(Edge.RunJob.self)
                handlers.refuse(Edge.PutSource.self)
                handlers.refuse(Edge.Cancel.self)
                handlers.refuse(Edge.Quit.self)
                connection = try Connection(
                    loop: loop, transport: transport, server: handlers, settings: settings,
                    onDown: { [weak self] in self?.ends.append($0) })
                transport.receive([
                    try .hello(Edge.self),
                    RawFrame(Edge.Resume.rule.type, .request, id: 1, body: try Edge.Resume(durable: 0).encoded()),
                    RawFrame(Edge.Records.rule.type, .request, id: 2),
                ])
            }

            func send(_ number: UInt64) {
                let chunk = Edge.LogChunk(step: 0, output: .stdout, bytes: [UInt8](repeating: 65, count: 1_000))
                sink?.send(.init(number: number, record: .log(chunk)))
            }
        }

        @Test func producersSeeWhatWaits() throws {
            let bench = try Bench(LinkSettings())
            let sink = try #require(bench.sink)
            #expect(sink.pendingBytes == 0)
            bench.send(1)
            #expect(sink.pendingBytes == 0)
            bench.transport.room = 500
            bench.send(2)
            #expect(sink.pendingBytes > 500 && sink.pendingBytes < 1_100)
            #expect(bench.transport.wantsWritable)
            bench.send(3)
            #expect(sink.pendingBytes > 1_500)
            bench.transport.room = 1 << 20
            bench.transport.ready?(.writable)
            #expect(sink.pendingBytes == 0)
            #expect(!bench.transport.wantsWritable)
            // In order and whole, however the writes were cut.
            var decoder = FrameDecoder(limit: 65_536)
            decoder.feed(bench.transport.taken[...])
            var numbers: [UInt64] = []
            while let frame = try decoder.next() {
                if frame.header.kind == .item {
                    numbers.append(try Edge.Records.Item.decoded(decoder.buffer[frame.body]).number)
                }
            }
            #expect(numbers == [1, 2, 3])
        }

        @Test func theQueueHasALimit() throws {
            let bench = try Bench(LinkSettings(queueLimit: 20_000))
            bench.transport.room = 0
            for number in 1...15 { bench.send(UInt64(number)) }
            bench.loop.runPass()
            #expect(bench.ends.isEmpty)
            for number in 16...30 { bench.send(UInt64(number)) }
            bench.loop.runPass()
            #expect(bench.ends.map(\.errorCode) == [.limitReached])
            #expect(bench.closes == 1)
            #expect(bench.transport.isClosed)
            #expect(bench.sink?.isOpen == false)
            bench.send(31)
        }

        /// Replies alone, to a peer that keeps to its window, never meet the limit.
        @Test func aFullWindowOfTheLargestFramesFits() {
            #expect(LinkSettings().queueLimit(frameLimit: Edge.frameLimit) > 64 * (Edge.frameLimit + 4))
        }
    }
}
