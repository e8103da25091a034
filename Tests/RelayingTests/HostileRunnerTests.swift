import Link
import Posix
import Relaying
import Testing
import Wire

/// Each attack costs the attacker its runner, and an honest runner beside it nothing.
@Suite struct HostileRunnerTests {
    private static let hostile = Bytes16(high: 6, low: 66)

    struct Attack: CustomTestStringConvertible, Sendable {
        let testDescription: String
        var code: ErrorCode = .runnerViolation
        /// Before it is attached.
        var prepare: @Sendable (ScriptedRunner) -> Void = { _ in }
        /// When it has its job.
        var act: (@Sendable (ScriptedRunner) -> Void)?
    }

    private static func item(_ number: UInt64, _ record: RunnerEdge.Record) -> @Sendable (ScriptedRunner) -> Void {
        { $0.sink?.send(.init(number: number, record: record)) }
    }

    private static func sequence(_ records: [RunnerEdge.Record]) -> @Sendable (ScriptedRunner) -> Void {
        { $0.emit(records) }
    }

    static let attacks: [Attack] = [
        Attack(
            testDescription: "no answer to the preamble", code: .runnerGone, prepare: { $0.answersPreamble = false }),
        Attack(testDescription: "an old nonce", code: .runnerGone, prepare: { $0.answersOldNonce = true }),
        Attack(
            testDescription: "endless garbage",
            prepare: {
                $0.answersPreamble = false
                $0.garbage = [UInt8](repeating: 66, count: 300_000)
            }),
        Attack(testDescription: "hangs up", code: .runnerGone, act: { $0.disconnect() }),
        Attack(testDescription: "a gap", act: item(2, Sample.begun(0))),
        Attack(testDescription: "step out of range", act: item(1, Sample.log("x", step: 2))),
        Attack(testDescription: "begun out of range", act: item(1, Sample.begun(2))),
        Attack(testDescription: "ended out of range", act: item(1, Sample.ended(65535))),
        Attack(testDescription: "begun twice", act: sequence([Sample.begun(0), Sample.begun(0)])),
        Attack(testDescription: "ended twice", act: sequence([Sample.ended(0), Sample.ended(0)])),
        Attack(testDescription: "a source that was never announced", act: item(1, .sourceReady(.init(files: 1)))),
        Attack(testDescription: "no final state", act: item(1, Sample.jobEnded(.running))),
        Attack(testDescription: "job ended twice", act: sequence([Sample.jobEnded(), Sample.jobEnded()])),
        Attack(testDescription: "output after the end", act: sequence([Sample.jobEnded(), Sample.log("x")])),
        Attack(testDescription: "a rule out of range", act: item(1, Sample.piece("x", rule: 2))),
        Attack(testDescription: "ended out of range as a rule", act: item(1, Sample.left(0, rule: 65535))),
        Attack(testDescription: "a piece after the end", act: sequence([Sample.left(0), Sample.piece("x")])),
        Attack(testDescription: "a rule ended twice", act: sequence([Sample.left(0), Sample.left(0)])),
        Attack(testDescription: "rules out of order", act: sequence([Sample.left(0, rule: 1), Sample.piece("x")])),
        Attack(
            testDescription: "two rules at once", act: sequence([Sample.piece("x"), Sample.piece("y", rule: 1)])),
        Attack(
            testDescription: "another rule's end", act: sequence([Sample.piece("x"), Sample.left(1, rule: 1)])),
        Attack(testDescription: "files without a piece", act: item(1, Sample.left(1))),
        Attack(
            testDescription: "the end of the job in an archive", act: sequence([Sample.piece("x"), Sample.jobEnded()])),
        Attack(testDescription: "output behind an archive", act: sequence([Sample.left(0), Sample.log("x")])),
        Attack(testDescription: "a step behind an archive", act: sequence([Sample.piece("x"), Sample.begun(0)])),
        Attack(testDescription: "ends its records", act: { $0.sink?.end() }),
        Attack(
            testDescription: "a wrong frame of the engine", act: { $0.transport?.sayRaw([3, 0, 0, 0, 0, 0, 0, 1, 1]) }),
        Attack(
            testDescription: "an oversize frame",
            act: {
                $0.transport?.say([0x00, 0x10, 0x00, 0x00] + [UInt8](repeating: 0, count: 16))
            }),
        Attack(testDescription: "length 0", act: { $0.transport?.say([UInt8](repeating: 0, count: 20)) }),
        Attack(
            testDescription: "a request from the wrong side",
            act: {
                $0.transport?.say(Self.frame(type: 1, kind: 1, id: 1, body: [UInt8](repeating: 0, count: 8)))
            }),
        Attack(
            testDescription: "a reply nobody asked for",
            act: {
                $0.transport?.say(Self.frame(type: 5, kind: 2, id: 99, body: []))
            }),
        Attack(
            testDescription: "an unknown message",
            act: {
                $0.transport?.say(Self.frame(type: 77, kind: 4, id: 2, body: []))
            }),
        Attack(testDescription: "complains again and again", prepare: { $0.complaints = 4 }),
        Attack(testDescription: "refuses its job", prepare: { $0.refusesJob = true }),
    ]

    private static func frame(type: UInt16, kind: UInt8, id: UInt64, body: [UInt8]) -> [UInt8] {
        var writer = WireWriter()
        writer.u32(UInt32(16 + body.count))
        writer.u16(type)
        writer.u8(kind)
        writer.u8(0)
        writer.u64(id)
        writer.u32(0)
        return writer.bytes + body
    }

    @Test(arguments: attacks) func itLosesItsRunnerAndNobodyElse(attack: Attack) throws {
        var limits = RelayLimits()
        limits.syncTime = .milliseconds(300)
        limits.syncBytes = 200_000
        limits.complaintPause = .milliseconds(1)
        let world = try RelayWorld(limits: limits)
        let honest = ScriptedRunner(world.loop)
        _ = try world.call(Sample.job())
        try world.attach(honest)
        try world.until("honest job") { honest.job != nil }
        let records = Sample.records(lines: 50)
        honest.emit(Array(records[..<40]))

        let attacker = ScriptedRunner(world.loop, id: Self.hostile)
        _ = try world.call(Sample.job(13, runner: Self.hostile, artifacts: 2))
        attack.prepare(attacker)
        try world.attach(attacker)
        if let act = attack.act {
            try world.until("hostile job") { attacker.job != nil && attacker.sink != nil }
            act(attacker)
        }
        try world.until("the loss") { world.lost(Self.hostile) != nil }
        #expect(world.lost(Self.hostile)?.code == attack.code.rawValue)
        try world.until("closed") { attacker.transport?.isEnded ?? true }

        honest.emit(Array(records[40...]))
        try world.until("the honest end") { world.finished(7) != nil }
        #expect(try world.directory.bytes("jobs/7/1/log") == Sample.output(records))
        #expect(world.lost(Sample.runner) == nil)
    }

    @Test func recordsForNoJob() throws {
        let world = try RelayWorld()
        let runner = ScriptedRunner(world.loop)
        runner.emit([Sample.log("nobody asked")])
        try world.attach(runner)
        try world.until("the loss") { world.lost(Sample.runner) != nil }
        #expect(world.lost(Sample.runner)?.code == ErrorCode.runnerViolation.rawValue)
        #expect(world.directory.entries("jobs").isEmpty)
    }

    @Test func aRunnerThatForgetsItsRecords() throws {
        let world = try RelayWorld()
        let runner = ScriptedRunner(world.loop)
        _ = try world.call(Sample.job())
        try world.attach(runner)
        try world.until("job") { runner.job != nil }
        runner.emit([Sample.begun(0), Sample.log("x")])
        try world.until("stored") { runner.acknowledged == 2 }
        runner.resumeReply = .init(attempt: nil, sourceReceived: 0, lastRecord: 1)
        try world.attach(runner)
        try world.until("the loss") { world.lost(Sample.runner) != nil }
        #expect(world.lost(Sample.runner)?.code == ErrorCode.runnerViolation.rawValue)
    }

    /// Its words reach a terminal some day.
    @Test func controlCharactersGoNoFurther() throws {
        let world = try RelayWorld()
        let runner = ScriptedRunner(world.loop)
        _ = try world.call(Sample.job())
        try world.attach(runner)
        try world.until("job") { runner.job != nil }
        runner.emit([Sample.jobEnded(.failed, reason: "a\u{1B}]0;b\u{7}\u{202E}c\n\u{9B}é")])
        try world.until("the end") { world.finished(7) != nil }
        #expect(world.finished(7)?.result.reason == "a?]0;b??c??é")
    }
}
