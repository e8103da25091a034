// The files that a job leaves, from its runner to schedulerd.

import Files
import Link
import LogStore
import Posix
import Relaying
import Testing
import Wire

@Suite struct ArtifactTests {
    private func world(_ limits: RelayLimits = RelayLimits(), secrets: Bool = false) throws -> (
        RelayWorld, ScriptedRunner
    ) {
        let world = try RelayWorld(limits: limits)
        let runner = ScriptedRunner(world.loop)
        try world.attach(runner)
        if secrets { try world.broker.give(["hunter2-hunter2"]) }
        _ = try world.call(Sample.job(secrets: secrets, artifacts: 3))
        try world.until("the job at the runner") { runner.job != nil && runner.sink != nil }
        return (world, runner)
    }

    private func open(_ world: RelayWorld, _ rule: UInt16) throws -> (files: UInt32, bytes: [UInt8]) {
        let (reply, file) = try world.callWithFDs(RelayEdge.OpenArtifact(attempt: Sample.attempt(), rule: rule))
        return (reply.files, try Posix.pread(file.raw, maximum: 1 << 20, at: 0))
    }

    private func refusal(_ world: RelayWorld, _ rule: UInt16) throws -> String? {
        do {
            _ = try open(world, rule)
            return nil
        } catch let failure as Failure {
            #expect(failure.errorCode == .notFound)
            return failure.text
        }
    }

    @Test func fromItsRunnerToSchedulerd() throws {
        let (world, runner) = try world()
        let bytes = (0..<700_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        let pieces = stride(from: 0, to: bytes.count, by: 32_768).map {
            RunnerEdge.Record.artifact(.init(rule: 1, bytes: Array(bytes[$0..<min($0 + 32_768, bytes.count)])))
        }
        runner.emit([Sample.begun(0), Sample.log("x"), Sample.ended(0), Sample.left(0)])
        runner.emit(pieces + [Sample.left(5, rule: 1, problem: "'x' is left out\u{1B}"), Sample.jobEnded()])
        try world.until("the end") { world.finished(7) != nil && runner.acknowledged == UInt64(runner.records.count) }
        #expect(world.finished(7)?.logBytes == 1)
        let given = try open(world, 1)
        #expect(given.files == 5 && given.bytes == bytes)
        #expect(try refusal(world, 0) == "no file fits this rule")
        #expect(try refusal(world, 2) == "this attempt has left nothing by this rule")
        _ = try world.call(RelayEdge.SettleJob(attempt: Sample.attempt()))
        #expect(try open(world, 1).bytes == bytes)
        _ = try world.call(RelayEdge.RemoveArtifacts(job: 7))
        #expect(try refusal(world, 1) == "this attempt has left nothing by this rule")
        #expect(try world.directory.bytes("jobs/7/1/log") == Array("x".utf8))
        #expect(world.events.count == 5, "nobody is told of pieces")
    }

    /// The runner's words are masked and plain; its files are as they are.
    @Test func wordsAreMaskedAndFilesAreNot() throws {
        let (world, runner) = try world(secrets: true)
        runner.emit([.grantTaken(.init()), Sample.begun(0), Sample.log("<hunter2-hunter2>"), Sample.ended(0)])
        runner.emit([Sample.piece("<hunter2-hunter2>"), Sample.left(1)])
        runner.emit([Sample.left(0, rule: 1, problem: "'hunter2-hunter2\u{7}' is left out"), Sample.jobEnded()])
        try world.until("the end") { world.finished(7) != nil }
        #expect(try world.directory.bytes("jobs/7/1/log") == Array("<***>".utf8))
        #expect(try open(world, 0).bytes == Array("<hunter2-hunter2>".utf8))
        #expect(try refusal(world, 1) == "'***?' is left out")
    }

    @Test func aBoundForAllOfThem() throws {
        var limits = RelayLimits()
        limits.artifactBytes = 100
        let (world, runner) = try world(limits)
        for _ in 0..<50 { runner.emit([Sample.piece("0123456789")]) }
        runner.emit([Sample.left(1), Sample.piece("fits", rule: 1), Sample.left(1, rule: 1), Sample.jobEnded()])
        try world.until("the end") { world.finished(7) != nil }
        let why = "the files that a job leaves may have 100 bytes here, and these have more"
        #expect(try refusal(world, 0) == why)
        #expect(try open(world, 1).bytes == Array("fits".utf8))
        #expect(world.lost(Sample.runner) == nil)
    }

    @Test func whileTheDiskIsFullTheJobWaits() throws {
        var limits = RelayLimits()
        limits.retryTime = .milliseconds(5)
        let (world, runner) = try world(limits)
        world.setFull(true)
        for _ in 0..<200 { runner.emit([.artifact(.init(rule: 0, bytes: [UInt8](repeating: 7, count: 30_000)))]) }
        runner.emit([Sample.left(1), Sample.jobEnded()])
        for _ in 0..<50 { world.loop.runPass(waiting: .milliseconds(2)) }
        #expect(runner.acknowledged == 0 && world.finished(7) == nil)
        world.setFull(false)
        try world.until("the end") { world.finished(7) != nil }
        #expect(try world.directory.bytes("jobs/7/1/artifact-0").count == 6_000_000)
    }

    /// relayd dies after every so many bytes; the next one knows which archive was under way.
    @Test(arguments: 0..<20) func aKillInTheMiddleLosesAndRepeatsNothing(number: Int) throws {
        let pieces = (0..<60).map {
            Sample.piece("piece \($0) of many bytes, so that relayd dies more often", rule: $0 < 30 ? 0 : 2)
        }
        let records =
            [Sample.begun(0), Sample.ended(0)] + pieces[..<30] + [Sample.left(3), Sample.left(0, rule: 1)]
            + pieces[30...] + [Sample.left(4, rule: 2), Sample.jobEnded()]
        let directory = try TemporaryDirectory()
        var runner: ScriptedRunner?
        var budget = 500 + number * 7
        var life = 0
        while true {
            life += 1
            let world = try RelayWorld(directory: directory, diskBudget: life > 12 ? .max : budget)
            budget += 61
            let current = ScriptedRunner(world.loop)
            if let runner { current.takeOver(runner) } else { current.emit(records) }
            runner = current
            do {
                _ = try world.call(Sample.job(artifacts: 3))
            } catch is Failure {
                continue
            }
            try world.attach(current)
            try world.until("the end, of the job or of relayd") { world.isDead || world.finished(7) != nil }
            #expect(world.lost(Sample.runner) == nil)
            guard !world.isDead, world.finished(7) != nil else { continue }
            for rule in [0, 2] as [UInt16] {
                #expect(try open(world, rule).bytes == Sample.archive(records, rule: rule))
            }
            break
        }
        #expect(life > 3)
    }
}
