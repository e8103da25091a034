// Both sides of a connection keep their promises: one answer to every request, one completion for every call, also when
// handlers forget and connections end.

import Link
import Posix
import Testing
import Wire

private typealias Edge = SpawnerEdge
private let runner = Bytes16(high: 3, low: 4)

/// A full table for the spawner edge with one call and one stream to be told what to do.
private func handlers(
    remove: @escaping (Responder<Edge.RemoveRunner.Reply>) -> Void = { $0.reply(.init()) },
    watch: @escaping (ItemSink<Edge.WatchExits.Item>) -> Void = { $0.end() }
) -> Handlers<Edge> {
    var handlers = Handlers<Edge>()
    handlers.on(Edge.RemoveRunner.self) { _, _, responder in remove(responder) }
    handlers.on(Edge.WatchExits.self) { _, sink in watch(sink) }
    handlers.refuse(Edge.CreateRunner.self)
    handlers.refuse(Edge.AttachRunner.self)
    handlers.refuse(Edge.ListRunners.self)
    handlers.refuse(Edge.DescribeHost.self)
    handlers.refuse(Edge.ReadDevices.self)
    return handlers
}

private func exit(_ code: UInt16) -> Edge.WatchExits.Item {
    Edge.WatchExits.Item(
        exit: Edge.RunnerExit(
            runner: runner, exitCode: code, outOfMemory: false, detail: String(repeating: "x", count: 200)))
}

extension LinkTests {
    @Suite struct Connections {
        /// Results of calls, in the order in which they came.
        private final class Results {
            var codes: [ErrorCode?] = []
            func add<Reply>(_ result: Result<Reply, Failure>) {
                switch result {
                case .success: codes.append(nil)
                case .failure(let failure): codes.append(failure.errorCode)
                }
            }
        }

        private func remove(_ couple: Couple<Edge>, _ results: Results) {
            couple.client.call(Edge.RemoveRunner(runner: runner)) { result, _ in results.add(result) }
        }

        @Test func callsBeforeTheHelloAndBeyondTheWindowWait() throws {
            var held: [Responder<Edge.RemoveRunner.Reply>] = []
            let couple = try Couple(handlers(remove: { held.append($0) }), settings: LinkSettings(window: 4))
            let results = Results()
            for _ in 0..<10 { remove(couple, results) }
            try couple.wait("the window") { held.count == 4 }
            #expect(results.codes.isEmpty)
            while results.codes.count < 10 {
                let batch = held
                held = []
                for responder in batch { responder.reply(.init()) }
                let target = results.codes.count + batch.count
                try couple.wait("answers") { results.codes.count >= target && (!held.isEmpty || target >= 10) }
                #expect(held.count <= 4)
            }
            #expect(results.codes.allSatisfy { $0 == nil })
            #expect(couple.events.ups == 1)
        }

        @Test func aForgottenAnswerIsInternal() throws {
            let couple = try Couple(handlers(remove: { _ in }, watch: { _ in }))
            let results = Results()
            var ends: [Failure?] = []
            remove(couple, results)
            couple.client.open(Edge.WatchExits(), onItem: { _ in }, onEnd: { ends.append($0) })
            try couple.wait("answers") { results.codes.count == 1 && ends.count == 1 }
            #expect(results.codes == [.internal])
            #expect(ends.first??.errorCode == .internal)
            #expect(couple.client.isReady)
        }

        @Test func onlyTheFirstAnswerCounts() throws {
            let couple = try Couple(
                handlers(remove: { responder in
                    responder.reply(.init())
                    responder.fail(Failure(.conflict, ""))
                    responder.reply(.init())
                }))
            let results = Results()
            for _ in 0..<3 { remove(couple, results) }
            try couple.wait("answers") { results.codes.count == 3 }
            #expect(results.codes == [nil, nil, nil])
        }

        @Test func theEndCompletesEverythingOnce() throws {
            var responders: [Responder<Edge.RemoveRunner.Reply>] = []
            var sinks: [ItemSink<Edge.WatchExits.Item>] = []
            var closes = 0
            let table = handlers(
                remove: { responders.append($0) },
                watch: { sink in
                    sink.onClose = { closes += 1 }
                    sinks.append(sink)
                })
            let couple = try Couple(table, settings: LinkSettings(window: 4))
            let results = Results()
            var ends: [Failure?] = []
            couple.client.open(Edge.WatchExits(), onItem: { _ in }, onEnd: { ends.append($0) })
            for _ in 0..<6 { remove(couple, results) }
            try couple.wait("requests") { responders.count == 3 && sinks.count == 1 }
            couple.server.close(Failure(.shuttingDown, "bye"))
            try couple.wait("the end") { !couple.events.clientEnds.isEmpty }
            #expect(results.codes == Array(repeating: .disconnected, count: 6))
            #expect(ends.map { $0?.errorCode } == [.disconnected])
            #expect(closes == 1)
            #expect(couple.events.clientEnds.map(\.errorCode) == [.shuttingDown])
            #expect(couple.events.serverEnds.count == 1)
            // What handlers still hold is harmless.
            for responder in responders { responder.reply(.init()) }
            #expect(!sinks[0].isOpen)
            sinks[0].send(exit(1))
            sinks[0].end()
            #expect(sinks[0].pendingBytes == 0)
            responders = []
            sinks = []
            // And calls on what is down fail, later, not at once.
            remove(couple, results)
            #expect(results.codes.count == 6)
            try couple.wait("the late call") { results.codes.count == 7 }
            #expect(results.codes.last == .disconnected)
            #expect(closes == 1)
        }

        @Test func itemsComeInOrderAndEnd() throws {
            let couple = try Couple(
                handlers(watch: { sink in
                    for code in 0..<500 { sink.send(exit(UInt16(code))) }
                    sink.end()
                    sink.send(exit(999))
                }))
            var codes: [UInt16] = []
            var ends: [Failure?] = []
            couple.client.open(
                Edge.WatchExits(), onItem: { codes.append($0.exit.exitCode) }, onEnd: { ends.append($0) })
            try couple.wait("the end") { !ends.isEmpty }
            #expect(codes == Array(0..<500))
            #expect(ends.count == 1)
            #expect(ends[0] == nil)
        }

        @Test func whatDoesNotEncodeIsAnError() throws {
            let couple = try Couple(
                handlers(watch: { sink in
                    var item = exit(1)
                    item.exit.detail = String(repeating: "x", count: 257)
                    sink.send(item)
                    #expect(!sink.isOpen)
                }))
            var ends: [Failure?] = []
            couple.client.open(Edge.WatchExits(), onItem: { _ in }, onEnd: { ends.append($0) })
            try couple.wait("the end") { !ends.isEmpty }
            #expect(ends.map { $0?.errorCode } == [.internal])
            // Ours, too, and nothing of it has gone out.
            var codes: [ErrorCode] = []
            let shape = RunnerShape(
                image: "", platform: .linuxAmd64, profile: .strict,
                resources: Resources(cpuMillis: 1, memoryBytes: 1, pids: 1, diskBytes: 1), untrustedSteps: false,
                gpus: nil)
            couple.client.call(
                Edge.CreateRunner(
                    runner: runner, epoch: 1, shape: shape, trust: .trusted, grant: runner, devices: [])
            ) { result, _ in
                if case .failure(let failure) = result { codes.append(failure.errorCode) }
            }
            try couple.wait("the failure") { !codes.isEmpty }
            #expect(codes == [.invalid])
            #expect(couple.client.isReady)
        }

        @Test func deadlinesAreVisibleToTheServer() throws {
            var seen: [Duration?] = []
            let couple = try Couple(
                handlers(remove: {
                    seen.append($0.remaining)
                    $0.reply(.init())
                }))
            var done = 0
            couple.client.call(Edge.RemoveRunner(runner: runner), deadline: .seconds(7)) { _, _ in done += 1 }
            try couple.wait("an answer") { done == 1 }
            let remaining = try #require(seen.first ?? nil)
            #expect(remaining > .seconds(1) && remaining <= .seconds(7))
        }

        /// Both sides go by the time of their loop: an hour passes when that says so, and in no time.
        @Test func deadlinesGoByTheLoopsClock() throws {
            var time = Posix.monotonicNow()
            var held: [Responder<Edge.RemoveRunner.Reply>] = []
            let couple = try Couple(handlers(remove: { held.append($0) }), clock: { time })
            let results = Results()
            couple.client.call(Edge.RemoveRunner(runner: runner), deadline: .seconds(3600)) { result, _ in
                results.add(result)
            }
            try couple.wait("the request") { held.count == 1 }
            let first = try #require(held.first)
            #expect(first.remaining == .seconds(3600))
            time += 3_599_999_999_999
            couple.loop.runPass()
            #expect(results.codes.isEmpty && first.remaining == .nanoseconds(1))
            time += 1
            try couple.wait("the deadline") { results.codes == [.deadlineExceeded] }
            #expect(first.remaining == .zero)
            first.reply(.init())
            #expect(first.remaining == .zero)
        }

        @Test func waitingCallsHaveDeadlines() throws {
            var held: [Responder<Edge.RemoveRunner.Reply>] = []
            let couple = try Couple(handlers(remove: { held.append($0) }), settings: LinkSettings(window: 1))
            let results = Results()
            remove(couple, results)
            couple.client.call(Edge.RemoveRunner(runner: runner), deadline: .milliseconds(20)) { result, _ in
                results.add(result)
            }
            try couple.wait("the deadline") { results.codes.count == 1 }
            #expect(results.codes == [.deadlineExceeded])
            #expect(held.count == 1)
        }
    }
}
