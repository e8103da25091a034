// A client keeps its link: it comes up when the server does, and again after every loss.

import Endpoints
import Files
import Link
import LinkBlocking
import Posix
import Testing
import Wire

private typealias Edge = RelayEdge
private let runner = Bytes16(high: 5, low: 6)

extension LinkTests {
    @Suite struct Clients {
        private final class Counts {
            var ups = 0
            var downs: [ErrorCode] = []
            var refusals: [ErrorCode] = []
        }

        private func client(
            _ loop: PollLoop, _ path: String, _ role: Role = .schedulerd
        ) -> (LinkClient<Edge>, Counts) {
            let client = LinkClient<Edge>(loop: loop, path: path, role: role)
            let counts = Counts()
            client.onUp = { counts.ups += 1 }
            client.onDown = { counts.downs.append($0.errorCode) }
            client.onRefused = { counts.refusals.append($0.errorCode) }
            client.start()
            return (client, counts)
        }

        private func server(_ loop: PollLoop, _ path: String, uid: UInt32 = Posix.userID) throws -> LinkServer<Edge> {
            try LinkServer(
                loop: loop, listener: try Posix.listenUnix(path, mode: 0o600), peerUID: uid,
                handlers: Edge.handlers(Seen()))
        }

        @Test func comesBackAfterEveryLoss() throws {
            let scratch = try Scratch()
            let path = "\(scratch.path)/socket"
            let loop = try PollLoop()
            let (client, counts) = client(loop, path)
            var results: [ErrorCode?] = []
            func call() {
                client.call(Edge.DropRunner(runner: runner)) { result, _ in
                    switch result {
                    case .success: results.append(nil)
                    case .failure(let failure): results.append(failure.errorCode)
                    }
                }
            }
            call()
            #expect(results.isEmpty)
            try turn(loop, "a failure") { results.count == 1 }
            #expect(results == [.disconnected])
            #expect(client.lastFailure != nil)
            for round in 1...3 {
                let server = try server(loop, path)
                try turn(loop, "the link") { counts.ups == round }
                #expect(client.isReady)
                call()
                try turn(loop, "an answer") { results.count == 2 * round }
                #expect(results.last == .some(nil))
                server.close()
                try turn(loop, "the loss") { counts.downs.count == round }
                #expect(!client.isReady)
                call()
                try turn(loop, "a failure") { results.count == 2 * round + 1 }
                #expect(results.last == .disconnected)
            }
            #expect(counts.downs == [.shuttingDown, .shuttingDown, .shuttingDown])
            #expect(counts.refusals.isEmpty)
            client.stop()
        }

        @Test func refusalsAreTold() throws {
            let scratch = try Scratch()
            let loop = try PollLoop()
            let server = try server(loop, "\(scratch.path)/socket", uid: Posix.userID + 1)
            let (client, counts) = client(loop, "\(scratch.path)/socket")
            try turn(loop, "a refusal") { !counts.refusals.isEmpty }
            #expect(counts.refusals == [.peerRefused])
            #expect(client.lastFailure?.errorCode == .peerRefused)
            #expect(counts.ups == 0 && counts.downs.isEmpty)
            client.stop()
            server.close()
            // The role is asked, too.
            let second = try self.server(loop, "\(scratch.path)/second")
            let (other, others) = self.client(loop, "\(scratch.path)/second", .operator)
            try turn(loop, "a refusal") { !others.refusals.isEmpty }
            #expect(others.refusals == [.roleRefused])
            other.stop()
            second.close()
        }

        /// A call that is answered with a descriptor, one with a descriptor in the request, and a call over pipes.
        @Test func descriptorsTravel() throws {
            var handlers = Edge.handlers(Seen())
            handlers = Handlers<Edge>()
            handlers.on(Edge.OpenLog.self) { _, _, responder in
                guard let file = try? Posix.open("/proc/self/cmdline", .readOnly) else { return }
                responder.reply(.init(), fd: file)
            }
            handlers.on(Edge.OpenUpload.self) { _, _, responder in
                guard let pair = try? Posix.pipe() else { return }
                // The wrong number of descriptors is our own mistake: internal, and the link stays.
                _ = pair.keepSecond()
                responder.reply(.init(upload: 1))
            }
            handlers.refuse(Edge.DropRunner.self)
            handlers.refuse(Edge.RunJob.self)
            handlers.refuse(Edge.CancelJob.self)
            handlers.refuse(Edge.SettleJob.self)
            handlers.refuse(Edge.FinishUpload.self)
            handlers.refuse(Edge.RemoveSource.self)
            handlers.refuse(Edge.RemoveLogs.self)
            handlers.refuse(Edge.ReadCounters.self)
            handlers.refuse(Edge.StoreArchive.self)
            handlers.refuse(Edge.OpenArtifact.self)
            handlers.refuse(Edge.RemoveArtifacts.self)
            handlers.refuse(Edge.WatchEvents.self)
            let open = try openDescriptors()
            func check() throws {
                let couple = try Couple(handlers)
                var kinds: [DescriptorKind] = []
                var codes: [ErrorCode] = []
                let attempt = Attempt(job: 1, attempt: 1, epoch: 1)
                for _ in 0..<5 {
                    couple.client.call(Edge.OpenLog(attempt: attempt)) { _, fds in
                        for raw in fds.raws { if let kind = try? Posix.descriptorKind(raw) { kinds.append(kind) } }
                    }
                }
                couple.client.call(Edge.OpenUpload(size: 1)) { result, _ in
                    if case .failure(let failure) = result { codes.append(failure.errorCode) }
                }
                try couple.wait("answers") { codes.count == 1 }
                #expect(kinds == Array(repeating: .file(readable: true, writable: false), count: 5))
                #expect(codes == [.internal])
                #expect(couple.client.isReady)
                couple.client.close()
                try couple.wait("the end") { !couple.events.serverEnds.isEmpty }
            }
            try check()
            #expect(try openDescriptors() == open)
        }

        @Test func requestsCarryDescriptors() throws {
            var held = FDBundle()
            var handlers = Handlers<StreamEdge>()
            handlers.on(StreamEdge.TakeStream.self) { _, fds, responder in
                held.append(contentsOf: fds)
                responder.reply(.init())
            }
            let couple = try Couple(handlers)
            let pair = try Posix.socketPair()
            var codes: [ErrorCode?] = []
            func add(_ result: Result<StreamEdge.TakeStream.Reply, Failure>) {
                if case .failure(let failure) = result { codes.append(failure.errorCode) } else { codes.append(nil) }
            }
            let gift = try pair.second.duplicate()
            couple.client.call(StreamEdge.probe, fd: gift) { result, _ in add(result) }
            try couple.wait("an answer") { codes.count == 1 }
            #expect(codes == [nil])
            #expect(held.count == 1)
            // It is the socket that we sent.
            let other = try #require(held.raws.first)
            #expect(try Posix.write(other, Array("through".utf8)) == .bytes(7))
            var buffer = [UInt8](repeating: 0, count: 16)
            #expect(try Posix.read(pair.first.raw, into: &buffer) == .bytes(7))
            // Without it, the request does not even leave.
            couple.client.call(StreamEdge.probe) { result, _ in add(result) }
            try couple.wait("a refusal") { codes.count == 2 }
            #expect(codes == [nil, .wrongFds])
            #expect(couple.client.isReady)
        }

        /// The runner's edge: two pipes instead of a socket.
        @Test func overPipes() throws {
            let loop = try PollLoop()
            let there = try Posix.pipe(nonBlocking: true)
            let back = try Posix.pipe(nonBlocking: true)
            let far = PipeTransport(reading: try there.first.duplicate(), writing: try back.second.duplicate())
            let near = PipeTransport(reading: back.keepFirst(), writing: there.keepSecond())
            var ends = 0
            let server = try Connection(
                loop: loop, transport: far, server: RunnerEdge.handlers(Seen()), onDown: { _ in ends += 1 })
            let client = Connection<RunnerEdge>(loop: loop, transport: near, client: .relayd)
            var last: UInt64 = 0
            client.call(RunnerEdge.Resume(durable: 7)) { result, _ in
                if case .success(let reply) = result { last = reply.lastRecord }
            }
            try turn(loop, "an answer") { last == 7 }
            // Larger than the pipe: both directions wait for room and go on.
            var done = 0
            for _ in 0..<20 {
                let chunk = RunnerEdge.PutSource(offset: 0, bytes: [UInt8](repeating: 1, count: 32_000))
                client.call(chunk) { _, _ in done += 1 }
            }
            try turn(loop, "all of them") { done == 20 }
            client.close()
            try turn(loop, "the end") { ends == 1 }
            #expect(!server.isOpen)
        }

        @Test func blockingClients() async throws {
            let scratch = try Scratch()
            let path = "\(scratch.path)/socket"
            let stopper = try serveInAThread(path)
            do throws(Failure) {
                let client = try BlockingClient<SpawnerEdge>(path: path)
                for _ in 0..<100 { _ = try client.call(SpawnerEdge.RemoveRunner(runner: runner)) }
                #expect(throws: Failure(.notFound, "")) { _ = try client.call(SpawnerEdge.DescribeHost()) }
                #expect(throws: Failure(.notFound, "")) {
                    try client.open(SpawnerEdge.WatchExits()) { _ in true }
                }
                _ = try client.call(SpawnerEdge.RemoveRunner(runner: runner))
            } catch {
                Issue.record(error)
            }
            #expect(throws: Failure.self) { _ = try BlockingClient<SpawnerEdge>(path: path, role: .operator) }
            stopper()
        }
    }
}
