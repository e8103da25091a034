import Files
import Link
import LogStore
import Posix
import Relaying
import Testing
import Wire

/// What relayd does with a job that has secrets.
@Suite struct MaskingTests {
    private static let secret = "hunter2-hunter2-hunter2"

    private func log(_ world: RelayWorld, _ job: Int = 7) throws -> String {
        String(decoding: try world.directory.bytes("jobs/\(job)/1/log"), as: UTF8.self)
    }

    @Test func nothingRunsBeforeTheMasksAreHere() throws {
        let world = try RelayWorld()
        let runner = ScriptedRunner(world.loop)
        try world.attach(runner)
        _ = try world.call(Sample.job(secrets: true))
        try world.until("it asks again and again") { world.broker.asked >= 3 }
        world.settle()
        #expect(runner.job == nil)
        try world.broker.give([Self.secret])
        try world.until("the job at the runner") { runner.job != nil }
        #expect(runner.job?.definition == Sample.job(secrets: true).definition)
        runner.emit([.grantTaken(.init())])
        try world.until("the grant is reported") { world.taken(7) }
        runner.emit([Sample.begun(0), Sample.log("<\(Self.secret)>\n"), Sample.ended(0), Sample.jobEnded()])
        try world.until("the end") { world.finished(7) != nil && runner.acknowledged == 5 }
        #expect(try log(world) == "<***>\n")
        #expect(world.finished(7)?.logBytes == 6)
        #expect(runner.jobsTaken == 1)
    }

    /// brokerd does not know any more what the runner holds: nothing of it is written, and nobody waits for its end.
    /// One whose masks are here already goes on.
    @Test(arguments: [false, true]) func masksThatCannotBeMade(_ areHere: Bool) throws {
        let world = try RelayWorld()
        let runner = ScriptedRunner(world.loop)
        try world.attach(runner)
        if areHere { try world.broker.give([Self.secret]) } else { world.broker.keepsOpen = true }
        _ = try world.call(Sample.job(secrets: true))
        try world.until("it asks") { world.broker.asked == 1 }
        if areHere { try world.until("the job at the runner") { runner.job != nil } }
        world.broker.forget(.conflict)
        if areHere {
            try world.until("it asks again") { world.broker.asked >= 2 }
            runner.emit([
                .grantTaken(.init()), Sample.begun(0), Sample.log("<\(Self.secret)>"), Sample.ended(0),
                Sample.jobEnded(),
            ])
            try world.until("the end") { world.finished(7) != nil }
            #expect(try log(world) == "<***>")
        } else {
            try world.until("lost") { world.lost(Sample.runner) != nil }
            #expect(world.lost(Sample.runner)?.code == ErrorCode.conflict.rawValue)
            #expect(try log(world).isEmpty)
        }
    }

    /// The positive control of the one above: without secrets nobody is asked.
    @Test func aJobWithoutSecretsDoesNotWait() throws {
        let world = try RelayWorld()
        world.broker.stop()
        let runner = ScriptedRunner(world.loop)
        try world.attach(runner)
        _ = try world.call(Sample.job())
        try world.until("the job at the runner") { runner.job != nil }
        runner.emit([Sample.begun(0), Sample.log(Self.secret), Sample.ended(0), Sample.jobEnded()])
        try world.until("the end") { world.finished(7) != nil }
        #expect(try log(world) == Self.secret)
        #expect(world.broker.asked == 0)
    }

    @Test func aRunnerThatSpeaksBeforeItsMasksIsLost() throws {
        let world = try RelayWorld()
        let runner = ScriptedRunner(world.loop)
        try world.attach(runner)
        try world.until("records are wanted") { runner.sink != nil }
        _ = try world.call(Sample.job(secrets: true))
        runner.sink?.send(.init(number: 1, record: Sample.log(Self.secret)))
        try world.until("lost") { world.lost(Sample.runner) != nil }
        #expect(try log(world).isEmpty)
        #expect(world.lost(Sample.runner)?.reason == "(its words are not shown: its job may have secrets)")
    }

    /// A set that is none lets nothing begin, and the next one counts.
    @Test(arguments: [[], [0], [0, 1], [0, 1, 0, 2, 65], [0, 0, 0], [255, 255], [0, 1, 0, 0]] as [[UInt8]])
    func whatIsNoSetIsRefused(bytes: [UInt8]) throws {
        let world = try RelayWorld()
        world.broker.keepsOpen = true
        let runner = ScriptedRunner(world.loop)
        try world.attach(runner)
        _ = try world.call(Sample.job(secrets: true))
        try world.until("it asks") { world.broker.asked == 1 }
        try world.broker.give(raw: bytes)
        try world.until("it asks again") { world.broker.asked >= 2 }
        world.settle()
        #expect(runner.job == nil)
        try world.broker.give([Self.secret])
        try world.until("the job at the runner") { runner.job != nil }
    }

    /// A value that is split over records, in all places, and one that comes later while its job runs.
    @Test func splitValuesAndLateOnes() throws {
        let world = try RelayWorld()
        try world.broker.give([Self.secret])
        let runner = ScriptedRunner(world.loop)
        try world.attach(runner)
        _ = try world.call(Sample.job(secrets: true))
        try world.until("the job at the runner") { runner.job != nil }
        let bytes = Array("before \(Self.secret) after late-value\n".utf8)
        runner.emit([.grantTaken(.init()), Sample.begun(0)])
        for cut in 1..<bytes.count {
            runner.emit([Sample.log(Array(bytes[..<cut])), Sample.log(Array(bytes[cut...]))])
        }
        try world.until("all is acknowledged") { runner.acknowledged == UInt64(runner.records.count) }
        var expected = String(repeating: "before *** after late-value\n", count: bytes.count - 1)
        #expect(try log(world) == expected)
        let asked = world.broker.asked
        try world.broker.give([Self.secret, "late-value"])
        world.settle()
        #expect(world.broker.asked == asked)
        runner.emit([Sample.log(bytes), Sample.ended(0), Sample.jobEnded()])
        try world.until("the end") { world.finished(7) != nil }
        expected += "before *** after ***\n"
        #expect(try log(world) == expected)
    }

    /// A record is acknowledged when all of it is in the log, and not before.
    @Test func whatIsHeldBackIsNotAcknowledged() throws {
        let world = try RelayWorld()
        try world.broker.give([Self.secret])
        let runner = ScriptedRunner(world.loop)
        try world.attach(runner)
        _ = try world.call(Sample.job(secrets: true))
        try world.until("the job at the runner") { runner.job != nil }
        runner.emit([Sample.begun(0), Sample.log("one\n"), Sample.log("two hunter2"), Sample.log("-hun")])
        try world.until("what is certain") { runner.acknowledged == 2 }
        world.settle()
        #expect(runner.acknowledged == 2)
        #expect(try log(world) == "one\ntwo ")
        runner.emit([Sample.log("ger\n")])
        try world.until("the rest") { runner.acknowledged == 5 }
        #expect(try log(world) == "one\ntwo hunter2-hunger\n")
        // A step's end is the end of what could complete it.
        runner.emit([Sample.log("hunter2-h"), Sample.ended(0)])
        try world.until("the step's end") { runner.acknowledged == 7 }
        #expect(try log(world) == "one\ntwo hunter2-hunger\nhunter2-h")
        // And so is a job that is given up.
        runner.emit([Sample.begun(1), Sample.log("hun")])
        try world.until("the last record") { runner.acknowledged == 8 }
        world.settle()
        _ = try world.call(RelayEdge.SettleJob(attempt: Sample.attempt()))
        #expect(try log(world) == "one\ntwo hunter2-hunger\nhunter2-hhun")
    }

    @Test func brokerdGoneInTheMiddle() throws {
        let world = try RelayWorld()
        try world.broker.give([Self.secret])
        let runner = ScriptedRunner(world.loop)
        try world.attach(runner)
        _ = try world.call(Sample.job(secrets: true))
        try world.until("the job at the runner") { runner.job != nil }
        let line = Sample.log("<\(Self.secret)>\n")
        runner.emit([Sample.begun(0), line])
        try world.until("the line") { runner.acknowledged == 2 }
        world.broker.stop()
        world.settle()
        runner.emit([line])
        try world.until("another line") { runner.acknowledged == 3 }
        // It comes back and does not know the grant until schedulerd has told it.
        world.broker.forget()
        let asked = world.broker.asked
        try world.broker.start()
        try world.until("it asks again") { world.broker.asked >= asked + 2 }
        runner.emit([line])
        try world.until("a third line") { runner.acknowledged == 4 }
        try world.broker.give([Self.secret, "late-value"])
        let before = world.broker.asked
        try world.until("it asks once more") { world.broker.asked > before }
        world.settle()
        runner.emit([line, Sample.log("late-value\n"), Sample.ended(0), Sample.jobEnded()])
        try world.until("the end") { world.finished(7) != nil }
        #expect(try log(world) == "<***>\n<***>\n<***>\n<***>\n***\n")
    }

    @Test func everyOtherWayOut() throws {
        let world = try RelayWorld()
        try world.broker.give([Self.secret])
        let runner = ScriptedRunner(world.loop)
        try world.attach(runner)
        _ = try world.call(Sample.job(secrets: true))
        try world.until("the job at the runner") { runner.job != nil }
        runner.transport?.say(
            Array("oops \(Self.secret)\n\(String(repeating: "x", count: 250))hunter2-hunter2\n".utf8), stream: 2)
        runner.emit([Sample.begun(0), Sample.ended(0), Sample.jobEnded(.failed, reason: "no \(Self.secret) here")])
        try world.until("the end") { world.finished(7) != nil }
        #expect(world.finished(7)?.result.reason == "no *** here")
        let journal = String(decoding: try world.directory.bytes("open/7.1"), as: UTF8.self)
        #expect(journal.contains("no *** here"))
        #expect(!journal.contains("hunter2"))
        // Its masks are gone with the job: nothing that it says later is shown.
        runner.sink?.fail(Failure(.internal, "bye \(Self.secret)"))
        try world.until("lost") { world.lost(Sample.runner) != nil }
        #expect(world.lost(Sample.runner)?.reason == "(its words are not shown: its job may have secrets)")
        // A line that is cut ends in the beginning of a secret.
        let said = String(decoding: try world.directory.bytes("daemon-log"), as: UTF8.self)
        #expect(said.contains("oops ***"))
        #expect(said.contains("xxx***"))
        #expect(said.contains("runner is lost"))
        #expect(!said.contains("hunter2-hunter2"))
        #expect(!said.contains("xhunt"))
    }

    @Test func theReasonOfALostRunner() throws {
        for secrets in [true, false] {
            let world = try RelayWorld()
            try world.broker.give([Self.secret])
            let runner = ScriptedRunner(world.loop)
            try world.attach(runner)
            _ = try world.call(Sample.job(secrets: secrets))
            try world.until("the job at the runner") { runner.job != nil }
            runner.sink?.fail(Failure(.internal, "bye \(Self.secret)"))
            try world.until("lost") { world.lost(Sample.runner) != nil }
            // Without secrets nothing is masked: the control.
            #expect(world.lost(Sample.runner)?.reason.contains("bye ***") == secrets)
            #expect(world.lost(Sample.runner)?.reason.contains("bye \(Self.secret)") == !secrets)
        }
    }
}

/// relayd dies after every so many bytes that it wrote, in the middle of secrets that are split over records.
@Suite struct MaskedKillTests {
    private static let values = ["abcabcabd", "cabcabx", "0123456789"]

    private func records(_ seed: Int) -> (records: [RunnerEdge.Record], text: String) {
        let words = ["x ", "abcabc", "abcabcabd", "abcabcabdcabcabx", "cab", "0123456789", "01234\n", "cabcabx"]
        var state = UInt64(seed)
        let text = (0..<400).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return words[Int(state >> 33) % words.count]
        }.joined()
        let bytes = Array(text.utf8)
        var records: [RunnerEdge.Record] = [.grantTaken(.init()), Sample.begun(0)]
        var position = 0
        while position < bytes.count {
            let length = min(1 + (position + seed) % 6, bytes.count - position)
            records.append(Sample.log(Array(bytes[position..<(position + length)])))
            position += length
        }
        return (records + [Sample.ended(0), Sample.jobEnded()], text)
    }

    /// Without a kill: what the log has to be.
    private func expected(_ records: [RunnerEdge.Record]) throws -> [UInt8] {
        let world = try RelayWorld()
        try world.broker.give(Self.values)
        let runner = ScriptedRunner(world.loop)
        try world.attach(runner)
        _ = try world.call(Sample.job(secrets: true))
        try world.until("job") { runner.job != nil }
        runner.emit(records)
        try world.until("the end") { world.finished(7) != nil }
        return try world.directory.bytes("jobs/7/1/log")
    }

    @Test(arguments: 0..<24) func aKillInTheMiddleOfASecret(number: Int) throws {
        let (records, text) = records(number)
        let expected = try expected(records)
        for value in Self.values {
            #expect(text.contains(value))
            #expect(!String(decoding: expected, as: UTF8.self).contains(value))
        }
        let directory = try TemporaryDirectory()
        var runner: ScriptedRunner?
        // The journal's opening entry comes first.
        var budget = 650
        var life = 0
        while true {
            life += 1
            let world = try RelayWorld(directory: directory, diskBudget: life > 60 ? .max : budget)
            budget = 40 + number % 13 * 7 + life * 5
            let current = ScriptedRunner(world.loop)
            if let runner { current.takeOver(runner) } else { current.emit(records) }
            runner = current
            do {
                _ = try world.call(Sample.job(secrets: true))
            } catch is Failure {
                continue
            }
            try world.attach(current)
            // In every second life the masks come late: nothing of the log may pass meanwhile.
            if life % 2 == 0 {
                let before = try directory.bytes("jobs/7/1/log")
                try world.until("it asks") { world.broker.asked >= 2 }
                for _ in 0..<5 { world.loop.runPass(waiting: .milliseconds(1)) }
                #expect(current.sink == nil)
                #expect(try directory.bytes("jobs/7/1/log") == before)
            }
            try world.broker.give(Self.values)
            try world.until("the end, of the job or of relayd") { world.isDead || world.finished(7) != nil }
            let soFar = try directory.bytes("jobs/7/1/log")
            #expect(expected.starts(with: soFar))
            guard !world.isDead, world.finished(7) != nil else { continue }
            break
        }
        #expect(life > 5)
        #expect(try directory.bytes("jobs/7/1/log") == expected)
        let log = try LogStore(state: directory.path, limit: 1 << 30).begin(Sample.job(secrets: true))
        #expect(log.events == Sample.events(records))
    }
}
