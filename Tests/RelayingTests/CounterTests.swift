import Link
import Posix
import Relaying
import Testing
import Wire

@Suite struct CounterTests {
    private static let secret = "hunter2-hunter2-hunter2"

    @Test func whatIsWrittenAndWhatIsNot() throws {
        let world = try RelayWorld()
        let nothing = try world.call(RelayEdge.ReadCounters())
        #expect(nothing == .init(logBytes: 0, maskedBytes: 0, masks: 0, streams: 0))
        try world.broker.give([Self.secret])
        let runner = ScriptedRunner(world.loop)
        let other = ScriptedRunner(world.loop, id: .random())
        try world.attach(runner)
        try world.attach(other)
        _ = try world.call(Sample.job(secrets: true))
        _ = try world.call(Sample.job(8, runner: other.id))
        try world.until("the jobs at the runners") { runner.job != nil && other.job != nil }
        // One that came in two pieces, and two that touch.
        let pieces = ["<\(Self.secret.prefix(9))", "\(Self.secret.dropFirst(9))>\n", Self.secret + Self.secret + "\n"]
        runner.emit([.grantTaken(.init()), Sample.begun(0)] + pieces.map { Sample.log($0) })
        // No secret of this one's.
        other.emit([Sample.begun(0), Sample.log(Self.secret)])
        try world.until("all of it") { runner.acknowledged == 5 && other.acknowledged == 2 }
        let masked = UInt64(3 * Self.secret.count)
        let all = RelayEdge.ReadCounters.Reply(
            logBytes: UInt64("<***>\n***\n".utf8.count + Self.secret.count), maskedBytes: masked, masks: 2, streams: 2)
        #expect(try world.call(RelayEdge.ReadCounters()) == all)
        // What is over is counted all the same; a reason is no log.
        runner.emit([Sample.ended(0), Sample.jobEnded(.failed, reason: Self.secret)])
        try world.until("the end") { world.finished(7) != nil }
        _ = try world.call(RelayEdge.SettleJob(attempt: Sample.attempt()))
        _ = try world.call(RelayEdge.DropRunner(runner: runner.id))
        var rest = all
        rest.streams = 1
        #expect(try world.call(RelayEdge.ReadCounters()) == rest)
    }
}
