// Clients are as careful as servers: what a hostile server sends is named, everything outstanding is completed once,
// and no descriptor stays.

import Files
import Link
import Posix
import Testing
import Wire

private typealias Edge = SchedulerEdge

extension LinkTests {
    @Suite struct HostileServers {
        /// Asks for a log (a reply with one descriptor), answers with what `answer` makes of the good reply.
        private func ask(
            _ answer: (inout RawFrame) throws -> Void
        ) throws -> (result: ErrorCode?, goodbye: ErrorCode?, fds: Int) {
            let server = try HostileServer<Edge>()
            var outcomes: [(ErrorCode?, Int)] = []
            server.client.call(Edge.OpenLog(token: "t", job: 1)) { result, fds in
                switch result {
                case .success: outcomes.append((nil, fds.count))
                case .failure(let failure): outcomes.append((failure.errorCode, fds.count))
                }
            }
            let request = try server.request()
            var frame = RawFrame(
                request.header.type, .reply, id: request.header.requestID,
                body: try Edge.OpenLog.Reply(complete: true).encoded(), gift: try .of([.fileRead]))
            try answer(&frame)
            server.peer.send(frame)
            try server.wait("a completion") { !outcomes.isEmpty }
            server.client.close()
            try server.peer.read()
            #expect(outcomes.count == 1)
            return (outcomes[0].0, server.peer.goodbye, outcomes[0].1)
        }

        @Test func theGoodAnswer() throws {
            let control = try ask { _ in }
            #expect(control.result == nil)
            #expect(control.goodbye == nil)
            #expect(control.fds == 1)
        }

        @Test func badAnswersAreNamed() throws {
            let open = try openDescriptors()
            func expect(_ code: ErrorCode, _ line: Int = #line, _ change: (inout RawFrame) throws -> Void) throws {
                let outcome = try ask(change)
                #expect(outcome.result == .disconnected, "line \(line)")
                #expect(outcome.goodbye == code, "line \(line)")
            }
            try expect(.unpermitted) { $0.id = 77 }
            try expect(.unpermitted) { $0.type = Edge.ListRunners.rule.type }
            try expect(.unpermitted) { $0.type = 999 }
            try expect(.unpermitted) { $0.kind = FrameKind.item.rawValue }
            try expect(.unpermitted) { $0.kind = FrameKind.end.rawValue }
            try expect(.unpermitted) { $0.kind = FrameKind.request.rawValue }
            try expect(.unpermitted) { $0 = try RawFrame.hello(Edge.self, from: .server) }
            try expect(.wrongFds) { $0.gift = nil }
            try expect(.wrongFds) {
                $0.fdCount = 1
                $0.gift = nil
            }
            try expect(.wrongFds) { $0.gift = try Gift.wrong(1) }
            try expect(.wrongFds) { $0.gift = try .of([.pipeWrite]) }
            try expect(.wrongFds) { $0.gift = try .of([.fileRead, .fileRead]) }
            try expect(.malformed) { $0.body = [2] }
            try expect(.malformed) { $0.body = [] }
            try expect(.malformed) { $0.body = [1, 0] }
            try expect(.malformed) { $0.deadline = 5 }
            try expect(.frameTooLarge) { $0.length = .max }
            try expect(.malformed) {
                $0.kind = FrameKind.error.rawValue
                $0.gift = nil
                $0.body = [0]
            }
            #expect(try openDescriptors() == open)
        }

        @Test func aFileThatCanBeWrittenIsNotAFileRead() throws {
            let scratch = try Scratch()
            let outcome = try ask {
                $0.gift = Gift(FDBundle(try Posix.open("\(scratch.path)/f", [.readWrite, .create])))
            }
            #expect(outcome.goodbye == .wrongFds)
        }

        @Test func anErrorIsTheAnswer() throws {
            let outcome = try ask {
                $0.kind = FrameKind.error.rawValue
                $0.gift = nil
                $0.body = try Failure(.notReady, "soon", place: "job").encoded()
            }
            #expect(outcome.result == .notReady)
            #expect(outcome.goodbye == nil)
        }

        @Test func aServerOfAnotherRole() throws {
            let server = try HostileServer<Edge>(sayingHello: false)
            server.peer.send(try .hello(Edge.self, from: .client))
            try server.wait("the end") { !server.events.clientEnds.isEmpty }
            #expect(server.events.clientEnds.map(\.errorCode) == [.roleRefused])
            #expect(server.events.ups == 0)
        }

        @Test func aGoodbyeInPlaceOfAHello() throws {
            let server = try HostileServer<Edge>(sayingHello: false)
            var results: [ErrorCode] = []
            server.client.call(Edge.ListRunners(token: "")) { result, _ in
                if case .failure(let failure) = result { results.append(failure.errorCode) }
            }
            let goodbye = Goodbye(code: ErrorCode.peerRefused.rawValue, text: "who are you")
            server.peer.send(RawFrame(Goodbye.type, .control, id: 0, body: try goodbye.encoded()))
            try server.wait("the end") { !server.events.clientEnds.isEmpty }
            #expect(server.events.clientEnds.map(\.errorCode) == [.peerRefused])
            #expect(results == [.disconnected])
        }

        /// A late answer is no violation, and it frees the window.
        @Test func lateAnswers() throws {
            let server = try HostileServer<Edge>()
            var results: [ErrorCode?] = []
            func call(_ deadline: Duration) {
                server.client.call(Edge.ListRunners(token: ""), deadline: deadline) { result, _ in
                    switch result {
                    case .success: results.append(nil)
                    case .failure(let failure): results.append(failure.errorCode)
                    }
                }
            }
            call(.milliseconds(20))
            let first = try server.request()
            #expect(first.header.deadline > 0 && first.header.deadline <= 20)
            try server.wait("the deadline") { !results.isEmpty }
            #expect(results == [.deadlineExceeded])
            let body = try Edge.ListRunners.Reply(runners: []).encoded()
            server.peer.send(RawFrame(first.header.type, .reply, id: first.header.requestID, body: body))
            call(.seconds(30))
            let second = try server.request(2)
            server.peer.send(RawFrame(second.header.type, .reply, id: second.header.requestID, body: body))
            try server.wait("the second answer") { results.count == 2 }
            #expect(results == [.deadlineExceeded, nil])
            #expect(server.client.isReady)
            // But the same answer once more is one too many.
            server.peer.send(RawFrame(first.header.type, .reply, id: first.header.requestID, body: body))
            try server.wait("the end") { !server.events.clientEnds.isEmpty }
            #expect(server.events.clientEnds.map(\.errorCode) == [.unpermitted])
        }

        @Test func manyDescriptorsAtOnceAreRefused() throws {
            let loop = try PollLoop()
            var ends: [Failure] = []
            let transport = CutTransport()
            let client = Connection<Edge>(loop: loop, transport: transport, client: .apid, onDown: { ends.append($0) })
            transport.ready?(.readable)
            #expect(ends.map(\.errorCode) == [.wrongFds])
            #expect(transport.isClosed)
            #expect(!client.isOpen)
        }
    }
}

/// Reports what the kernel does with more descriptors than there is room for (MSG_CTRUNC).
private final class CutTransport: ByteTransport {
    var ready: ((Interest) -> Void)?
    var isClosed = false

    func read(into buffer: inout [UInt8], at offset: Int, fds: inout FDBundle) throws(PosixError) -> ReadOutcome {
        throw .truncatedDescriptors
    }

    func write(_ bytes: ArraySlice<UInt8>, fds: [Int32]) throws(PosixError) -> WriteOutcome { .bytes(bytes.count) }
    func start(on loop: PollLoop, _ ready: @escaping (Interest) -> Void) throws(PosixError) { self.ready = ready }
    func wantWritable(_ wanted: Bool) throws(PosixError) {}
    func close() { isClosed = true }
}
