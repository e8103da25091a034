// A sibling that keeps its socket and says nothing is noticed.

import Endpoints
import Link
import Posix
import Scheduling
import Testing
import Wire

@Suite struct WatchedLinkTests {
    private func turn(_ loop: PollLoop, _ what: String, until isSo: () -> Bool) throws {
        let limit = Posix.monotonicNow() + 10_000_000_000
        while !isSo() {
            guard Posix.monotonicNow() < limit else { throw Failure(.deadlineExceeded, what) }
            loop.runPass(waiting: .milliseconds(2))
        }
    }

    /// All but DropRunner and ReadCounters.
    private static func refusing() -> Handlers<RelayEdge> {
        var handlers = Handlers<RelayEdge>()
        handlers.refuse(RelayEdge.RunJob.self)
        handlers.refuse(RelayEdge.CancelJob.self)
        handlers.refuse(RelayEdge.SettleJob.self)
        handlers.refuse(RelayEdge.OpenLog.self)
        handlers.refuse(RelayEdge.OpenUpload.self)
        handlers.refuse(RelayEdge.FinishUpload.self)
        handlers.refuse(RelayEdge.RemoveSource.self)
        handlers.refuse(RelayEdge.RemoveLogs.self)
        handlers.refuse(RelayEdge.StoreArchive.self)
        handlers.refuse(RelayEdge.OpenArtifact.self)
        handlers.refuse(RelayEdge.RemoveArtifacts.self)
        handlers.on(RelayEdge.WatchEvents.self) { _, _ in }
        return handlers
    }

    @Test func anyAnswerIsASignOfLife() throws {
        let directory = try TemporaryDirectory()
        let path = directory.database + ".socket"
        let loop = try PollLoop()
        var handlers = Self.refusing()
        handlers.refuse(RelayEdge.ReadCounters.self)
        var asked: [Responder<RelayEdge.DropRunner.Reply>] = []
        handlers.on(RelayEdge.DropRunner.self) { _, _, responder in asked.append(responder) }
        let server = try LinkServer(
            loop: loop, listener: try Posix.listenUnix(path, mode: 0o600), peerUID: Posix.userID, handlers: handlers)
        defer { withExtendedLifetime(server) {} }
        let relay = RelayClient(loop: loop, path: path)
        relay.start()
        try turn(loop, "the link") { relay.isReady }
        #expect(relay.silentSince == nil)
        for number in UInt64(1)...2 { relay.dropRunner(Bytes16(high: 1, low: number)) { _ in } }
        try turn(loop, "the requests") { asked.count == 2 }
        let first = try #require(relay.silentSince)
        asked[0].reply(.init())
        try turn(loop, "an answer") { (relay.silentSince ?? 0) > first }
        asked[1].fail(Failure(.internal, "broken"))
        try turn(loop, "the other answer") { relay.silentSince == nil }
    }

    /// Told from a sibling that says the same of somebody else, as spawnerd does that waits for relayd.
    @Test func whoHasNotAnsweredIsNamed() throws {
        let directory = try TemporaryDirectory()
        let path = directory.database + ".socket"
        let loop = try PollLoop()
        var handlers = Self.refusing()
        let elsewhere = Failure(.deadlineExceeded, "no answer in time")
        var kept: [Responder<RelayEdge.ReadCounters.Reply>] = []
        handlers.on(RelayEdge.DropRunner.self) { _, _, responder in responder.fail(elsewhere) }
        handlers.on(RelayEdge.ReadCounters.self) { _, _, responder in kept.append(responder) }
        let server = try LinkServer(
            loop: loop, listener: try Posix.listenUnix(path, mode: 0o600), peerUID: Posix.userID, handlers: handlers)
        defer { withExtendedLifetime(server) {} }
        let relay = RelayClient(loop: loop, path: path)
        relay.start()
        try turn(loop, "the link") { relay.isReady }
        var found: Failure?
        relay.dropRunner(Bytes16(high: 1, low: 1)) { found = $0 }
        try turn(loop, "its word") { found != nil }
        #expect(found?.place == "" && found?.text == elsewhere.text && relay.silentSince == nil)
        found = nil
        relay.readCounters(deadline: .milliseconds(1)) { result in
            if case .failure(let failure) = result { found = failure }
        }
        try turn(loop, "the end of patience") { found != nil }
        let told = Scheduler.refusal(of: try #require(found))
        #expect(told.errorCode == .deadlineExceeded && told.place == "relayd" && relay.silentSince != nil)
        #expect(told.text.hasPrefix("relayd has not answered in time"))
    }

    @Test func statusSaysWhoIsSilent() throws {
        let house = try House { $0.describeAgain = .milliseconds(5) }
        _ = try house.running()
        func relayd() throws -> SchedulerEdge.DaemonHealth {
            let status = try house.call(SchedulerEdge.GetStatus(token: Samples.token))
            return try #require(status.daemons.first { $0.role == .relayd })
        }
        house.relay.silentSince = house.loop.now
        #expect(try relayd().detail.isEmpty, "a moment is nothing")
        house.relay.silentSince = house.loop.now - 11_000_000_000
        let silent = try relayd()
        #expect(silent.connected && silent.detail.contains("it has not answered for 11 s"), "\(silent)")
        // It is asked, or nobody would hear that it is there again.
        let before = house.relay.countersAsked
        try house.run("asked") { house.relay.countersAsked > before }
    }

    @Test func whoIsMissingForALog() throws {
        let house = try House()
        let (job, _) = try house.running()
        house.relay.down(losingStreams: false)
        do {
            _ = try house.callForFD(SchedulerEdge.OpenLog(token: Samples.token, job: job))
            Issue.record("a log came")
        } catch let failure as Failure {
            #expect(failure.errorCode == .disconnected && failure.place == "relayd", "\(failure)")
            #expect(failure.text.contains("relayd is away"))
        }
    }
}

extension Handlers<RelayEdge> {
    fileprivate mutating func refuse<Call: WireCall>(_: Call.Type) where Call.Edge == RelayEdge {
        on(Call.self) { _, _, responder in responder.fail(Failure(.internal, "not here")) }
    }
}
