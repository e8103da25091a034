// Who no longer wants a stream says so, at any point of the conversation: the producer stops, nobody is called any
// more, the place in the window comes back, and everything else goes on.

import Endpoints
import Link
import Posix
import Testing
import Wire

private typealias Edge = SpawnerEdge
private let runner = Bytes16(high: 5, low: 6)

private func item(_ code: UInt16) -> Edge.WatchExits.Item {
    .init(exit: Edge.RunnerExit(runner: runner, exitCode: code, outOfMemory: false, detail: ""))
}

/// What the server of these tests has seen and holds.
private final class House {
    var sinks: [ItemSink<Edge.WatchExits.Item>] = []
    var opened = 0
    var closed = 0
    var held: [Responder<Edge.RemoveRunner.Reply>] = []
    var isHolding = false

    func handlers() -> Handlers<Edge> {
        var handlers = Handlers<Edge>()
        handlers.on(Edge.WatchExits.self) { [self] _, sink in
            opened += 1
            sink.onClose = { [self] in closed += 1 }
            sinks.append(sink)
        }
        handlers.on(Edge.RemoveRunner.self) { [self] _, _, responder in
            if isHolding { held.append(responder) } else { responder.reply(.init()) }
        }
        handlers.refuse(Edge.CreateRunner.self)
        handlers.refuse(Edge.AttachRunner.self)
        handlers.refuse(Edge.ListRunners.self)
        handlers.refuse(Edge.DescribeHost.self)
        handlers.refuse(Edge.ReadDevices.self)
        return handlers
    }
}

/// What a consumer was told.
private final class Told {
    var codes: [UInt16] = []
    var ends: [ErrorCode?] = []
}

extension LinkTests {
    @Suite struct Abandoning {
        private func open(_ couple: Couple<Edge>, _ told: Told) -> StreamHandle {
            couple.client.open(
                Edge.WatchExits(), onItem: { told.codes.append($0.exit.exitCode) },
                onEnd: { told.ends.append($0?.errorCode) })
        }

        /// A call there and back: whatever was sent before has been handled.
        private func roundTrip(_ couple: Couple<Edge>) throws {
            var isDone = false
            couple.client.call(Edge.RemoveRunner(runner: runner)) { result, _ in
                if case .success = result { isDone = true }
            }
            try couple.wait("a round trip") { isDone }
        }

        @Test func inTheMiddle() throws {
            let house = House()
            let couple = try Couple(house.handlers())
            let (told, faithful) = (Told(), Told())
            let handle = open(couple, told)
            _ = open(couple, faithful)
            try couple.wait("streams") { house.sinks.count == 2 }
            for sink in house.sinks { sink.send(item(1)) }
            try couple.wait("an item") { told.codes == [1] && faithful.codes == [1] }
            handle.abandon()
            try couple.wait("the producer knows") { house.closed == 1 }
            #expect(!house.sinks[0].isOpen && house.sinks[1].isOpen)
            // What a producer says afterwards goes nowhere; the other stream is untouched.
            house.sinks[0].send(item(2))
            house.sinks[0].end()
            house.sinks[1].send(item(3))
            house.sinks[1].end()
            try couple.wait("the other's end") { faithful.ends == [nil] }
            #expect(faithful.codes == [1, 3])
            #expect(told.codes == [1] && told.ends.isEmpty)
            handle.abandon()
            try roundTrip(couple)
            #expect(house.closed == 2)
        }

        @Test func beforeTheHello() throws {
            let house = House()
            let couple = try Couple(house.handlers())
            let told = Told()
            open(couple, told).abandon()
            try roundTrip(couple)
            #expect(house.opened == 0, "what has not left never does")
            #expect(told.ends.isEmpty)
        }

        @Test func whileItWaitsForTheWindow() throws {
            let house = House()
            let couple = try Couple(house.handlers(), settings: LinkSettings(window: 1))
            let (first, second, third) = (Told(), Told(), Told())
            let handle = open(couple, first)
            let waiting = open(couple, second)
            _ = open(couple, third)
            try couple.wait("the first") { house.opened == 1 }
            waiting.abandon()
            handle.abandon()
            try couple.wait("the third takes its place") { house.opened == 2 }
            house.sinks[1].send(item(7))
            try couple.wait("its item") { third.codes == [7] }
            #expect(first.ends.isEmpty && second.ends.isEmpty && house.opened == 2)
        }

        @Test func fromItsOwnItem() throws {
            let house = House()
            let couple = try Couple(house.handlers())
            var handle: StreamHandle?
            var (codes, ends): ([UInt16], Int) = ([], 0)
            handle = couple.client.open(
                Edge.WatchExits(),
                onItem: {
                    codes.append($0.exit.exitCode)
                    if codes.count == 2 { handle?.abandon() }
                }, onEnd: { _ in ends += 1 })
            try couple.wait("the stream") { house.sinks.count == 1 }
            for code in 0..<10 { house.sinks[0].send(item(UInt16(code))) }
            try couple.wait("the producer knows") { house.closed == 1 }
            try roundTrip(couple)
            #expect(codes == [0, 1] && ends == 0)
        }

        /// The end is on its way when it is abandoned; so is an error.
        @Test(arguments: [true, false]) func crossingWithTheEnd(_ endsWell: Bool) throws {
            let house = House()
            let couple = try Couple(house.handlers())
            let told = Told()
            let handle = open(couple, told)
            try couple.wait("the stream") { house.sinks.count == 1 }
            house.sinks[0].send(item(1))
            if endsWell { house.sinks[0].end() } else { house.sinks[0].fail(Failure(.conflict, "")) }
            handle.abandon()
            try roundTrip(couple)
            #expect(told.codes.isEmpty && told.ends.isEmpty && house.closed == 1)
            #expect(couple.client.isReady && couple.events.serverEnds.isEmpty)
        }

        @Test func afterTheEndAndWithoutALink() throws {
            let house = House()
            let couple = try Couple(house.handlers())
            let told = Told()
            let handle = open(couple, told)
            try couple.wait("the stream") { house.sinks.count == 1 }
            house.sinks[0].end()
            try couple.wait("the end") { told.ends == [nil] }
            handle.abandon()
            try roundTrip(couple)
            let late = open(couple, told)
            couple.client.close()
            late.abandon()
            let never = open(couple, told)
            never.abandon()
            couple.loop.runPass()
            // The one that the end of the link has told is told once; one that is abandoned before it is told, never.
            #expect(told.ends == [nil, .disconnected])
        }

        /// Far more than a window of streams, each given up at once, leave nothing behind on either side.
        @Test func manyLeaveNothing() throws {
            let house = House()
            let couple = try Couple(house.handlers())
            let told = Told()
            try roundTrip(couple)
            for count in 1...1_500 {
                open(couple, told).abandon()
                let handle = open(couple, told)
                try couple.wait("stream \(count)") { house.opened == 2 * count }
                handle.abandon()
                house.sinks = []
            }
            // And many at once: what does not fit the window is never sent.
            for _ in 0..<3_000 { open(couple, told).abandon() }
            try roundTrip(couple)
            #expect(house.opened < 3_000 + 3_000 && house.closed == house.opened && told.ends.isEmpty)
            #expect(couple.client.pendingBytes == 0 && couple.server.pendingBytes == 0)
        }

        /// By hand, with what no client of ours says: ids that never were, a call's, one after its end, twice.
        @Test func idsThatNameNoStream() throws {
            let house = House()
            house.isHolding = true
            let loop = try PollLoop()
            let pair = try Posix.socketPair()
            let server = try Connection(
                loop: loop, transport: SocketTransport(try pair.first.duplicate()), server: house.handlers())
            let peer = RawPeer(pair.keepSecond())
            func abandon(_ id: UInt64) throws {
                peer.send(RawFrame(Abandon.type, .control, id: 0, body: try Abandon(requestId: id).encoded()))
            }
            peer.send(try .hello(Edge.self))
            for id in [0, 1, 99, UInt64.max] { try abandon(id) }
            let remove = try Edge.RemoveRunner(runner: runner).encoded()
            peer.send(RawFrame(Edge.RemoveRunner.rule.type, .request, id: 1, body: remove))
            peer.send(RawFrame(Edge.WatchExits.rule.type, .request, id: 2))
            try turn(loop, "both") { house.held.count == 1 && house.opened == 1 }
            for id in [1, 2, 2, 1] as [UInt64] { try abandon(id) }
            try turn(loop, "the end") {
                try peer.read()
                return peer.answers(.end).count == 1
            }
            #expect(peer.answers(.end).first?.header.requestID == 2)
            #expect(peer.answers(.reply).isEmpty, "the call is still owed")
            house.held[0].reply(.init())
            try turn(loop, "the call's answer") {
                try peer.read()
                return peer.answers(.reply).count == 1
            }
            #expect(peer.answers(.end).count == 1 && peer.answers(.error).isEmpty && peer.goodbye == nil)
            #expect(server.isReady && house.closed == 1)
        }

        /// It is a control message like the others: whole, in its place, and with nothing else about it.
        @Test(arguments: ["before the hello", "cut", "long", "id", "deadline", "descriptor"])
        func malformed(_ what: String) throws {
            let rig = try Rig<Edge>()
            let peer = try rig.connect()
            if what != "before the hello" { peer.send(try .hello(Edge.self)) }
            var frame = RawFrame(Abandon.type, .control, id: 0, body: try Abandon(requestId: 1).encoded())
            var code = ErrorCode.malformed
            switch what {
            case "before the hello": code = .unpermitted
            case "cut": frame.body.removeLast()
            case "long": frame.body.append(0)
            case "id": frame.id = 1
            case "deadline": frame.deadline = 1
            default:
                frame.gift = try .of([.pipeWrite])
                code = .wrongFds
            }
            peer.send(frame)
            try rig.waitForEnd(peer, what)
            #expect(peer.goodbye == code)
            try rig.serveGoodClient(what)
        }
    }
}
