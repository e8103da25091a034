// What link-bench measures; the numbers are put side by side by Tests/Bench/bench.py.

import Endpoints
import Link
import LinkBlocking
import Posix
import Wire

func nothing<Call: WireCall>(_ handlers: inout Handlers<RelayEdge>, _: Call.Type) where Call.Edge == RelayEdge {
    handlers.on(Call.self) { _, _, responder in responder.fail(Failure(.notFound, "not in this benchmark")) }
}

func server(_ path: String) throws {
    let loop = try PollLoop()
    var handlers = Handlers<RelayEdge>()
    handlers.on(RelayEdge.SettleJob.self) { _, _, responder in responder.reply(RelayEdge.SettleJob.Reply()) }
    handlers.on(RelayEdge.WatchEvents.self) { _, sink in sink.end() }
    nothing(&handlers, RelayEdge.RunJob.self)
    nothing(&handlers, RelayEdge.CancelJob.self)
    nothing(&handlers, RelayEdge.DropRunner.self)
    nothing(&handlers, RelayEdge.OpenLog.self)
    nothing(&handlers, RelayEdge.OpenUpload.self)
    nothing(&handlers, RelayEdge.FinishUpload.self)
    nothing(&handlers, RelayEdge.RemoveSource.self)
    let listener = try Posix.listenUnix(path, mode: 0o600)
    let server = try LinkServer<RelayEdge>(loop: loop, listener: listener, peerUID: Posix.userID, handlers: handlers)
    try loop.onSignals([Signal.terminate]) { _ in loop.stop() }
    loop.run()
    withExtendedLifetime(server) {}
}

func client(_ path: String, _ count: Int) throws {
    let client = try BlockingClient<RelayEdge>(path: path)
    let request = RelayEdge.SettleJob(attempt: Attempt(job: 7, attempt: 1, epoch: 3))
    var took: [UInt64] = []
    took.reserveCapacity(count)
    for _ in 0..<count {
        let begin = Posix.monotonicNow()
        _ = try client.call(request)
        took.append(Posix.monotonicNow() - begin)
    }
    for nanoseconds in took { print(nanoseconds) }
}

func codec(_ count: Int) throws {
    var writer = WireWriter()
    var sum: UInt64 = 0
    // Two marks for the allocation counter of Tests/Bench/peers/countmalloc.c.
    _ = Posix.processID
    let begin = Posix.monotonicNow()
    for job in 0..<UInt64(count) {
        writer.bytes.removeAll(keepingCapacity: true)
        let request = RelayEdge.CancelJob(attempt: Attempt(job: job, attempt: 1, epoch: 3), graceSeconds: 10)
        try request.encode(to: &writer)
        sum &+= try RelayEdge.CancelJob.decoded(writer.bytes).attempt.job
    }
    let took = Posix.monotonicNow() - begin
    _ = Posix.processID
    precondition(sum == UInt64(count) * UInt64(count - 1) / 2, "the codec lost something")
    print(Double(took) / Double(count))
}
