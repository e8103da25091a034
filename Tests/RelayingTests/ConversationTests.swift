import Files
import Link
import LogStore
import Posix
import Relaying
import Testing
import Wire

@Suite struct ConversationTests {
    @Test(arguments: [true, false]) func aJobFromBeginningToEnd(framed: Bool) throws {
        let world = try RelayWorld()
        let runner = ScriptedRunner(world.loop)
        // Accepted before the runner is there.
        _ = try world.call(Sample.job())
        try world.attach(runner, framed: framed)
        try world.until("the job at the runner") { runner.job != nil }
        #expect(world.readyCount(Sample.runner) == 1)
        #expect(runner.job?.definition == Sample.job().definition)
        let records = Sample.records(lines: 100)
        runner.emit(records)
        try world.until("the end") { world.finished(7) != nil && runner.acknowledged == UInt64(records.count) }
        let output = Sample.output(records)
        #expect(try world.directory.bytes("jobs/7/1/log") == output)
        #expect(world.finished(7)?.logBytes == UInt64(output.count))
        #expect(world.finished(7)?.result.state == .succeeded)
        #expect(world.events.count == 7)
        let (_, log) = try world.callWithFDs(RelayEdge.OpenLog(attempt: Sample.attempt()))
        #expect(try Posix.pread(log.raw, maximum: 1 << 20, at: 0) == output)
        #expect(throws: PosixError.self) { try Posix.writeAll(log.raw, [1]) }
        _ = try world.call(RelayEdge.SettleJob(attempt: Sample.attempt()))
        _ = try world.call(RelayEdge.SettleJob(attempt: Sample.attempt()))
        _ = try world.call(RelayEdge.DropRunner(runner: Sample.runner))
        try world.until("quit") { runner.hasQuit }
        #expect(world.directory.entries("open").isEmpty)
        #expect(world.directory.entries("runners").isEmpty)
    }

    /// Bytes of an older stream reach the runner behind the preamble: it says that relayd broke the protocol.
    @Test(arguments: [true, false]) func aDisturbedStreamBeginsAnew(framed: Bool) throws {
        var limits = RelayLimits()
        limits.complaintPause = .milliseconds(1)
        let world = try RelayWorld(limits: limits)
        let runner = ScriptedRunner(world.loop)
        runner.complaints = 3
        _ = try world.call(Sample.job())
        try world.attach(runner, framed: framed)
        try world.until("the job at the runner") { runner.job != nil }
        #expect(runner.complaints == 0)
        let records = Sample.records(lines: 20)
        runner.emit(records)
        try world.until("the end") { world.finished(7) != nil }
        #expect(try world.directory.bytes("jobs/7/1/log") == Sample.output(records))
        #expect(world.lost(Sample.runner) == nil)
    }

    /// A runner that is dropped between two beginnings is let go of.
    @Test func aDisturbedStreamCanBeDropped() throws {
        var limits = RelayLimits()
        limits.complaintPause = .milliseconds(20)
        let world = try RelayWorld(limits: limits)
        let runner = ScriptedRunner(world.loop)
        runner.complaints = 1
        try world.attach(runner)
        try world.until("the complaint") { runner.complaints == 0 }
        _ = try world.call(RelayEdge.DropRunner(runner: Sample.runner))
        try world.until("the end of the stream") { runner.transport?.isEnded ?? true }
        #expect(world.readyCount(Sample.runner) == 0)
    }

    @Test func theSameRequestAgainIsTheSameJob() throws {
        let world = try RelayWorld()
        let runner = ScriptedRunner(world.loop)
        try world.attach(runner)
        for _ in 0..<3 { _ = try world.call(Sample.job()) }
        try world.until("the job at the runner") { runner.job != nil }
        #expect(throws: Failure.self) { try world.call(Sample.job(steps: 3)) }
        #expect(throws: Failure.self) { try world.call(Sample.job(8)) }
        #expect(runner.jobsTaken == 1)
        let missing = Source(sha256: .random(), size: 5)
        #expect(throws: Failure.self) { try world.call(Sample.job(9, runner: .random(), source: missing)) }
    }

    @Test func theSourceArrivesWhole() throws {
        let world = try RelayWorld()
        let bytes = (0..<700_001).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        let source = try world.store(bytes)
        let runner = ScriptedRunner(world.loop)
        try world.attach(runner)
        _ = try world.call(Sample.job(source: source))
        try world.until("the source") { runner.source.count == bytes.count }
        #expect(runner.source == bytes)
        runner.emit([.sourceReady(.init(files: 3)), Sample.begun(0), Sample.ended(0), Sample.jobEnded()])
        try world.until("the end") { world.finished(7) != nil }
        #expect(world.lost(Sample.runner) == nil)
    }

    @Test func cancelReachesTheRunnerWhenItHasTheJob() throws {
        let world = try RelayWorld()
        let runner = ScriptedRunner(world.loop)
        _ = try world.call(Sample.job())
        _ = try world.call(RelayEdge.CancelJob(attempt: Sample.attempt(), graceSeconds: 4))
        try world.attach(runner)
        try world.until("cancel") { runner.cancelGrace == 4 }
        _ = try world.call(RelayEdge.CancelJob(attempt: Sample.attempt(), graceSeconds: 9))
        try world.until("cancel again") { runner.cancelGrace == 9 }
        #expect(throws: Failure.self) {
            try world.call(RelayEdge.CancelJob(attempt: Sample.attempt(1), graceSeconds: 1))
        }
    }

    @Test func aNewStreamReplacesTheOld() throws {
        let world = try RelayWorld()
        let runner = ScriptedRunner(world.loop)
        _ = try world.call(Sample.job())
        let records = Sample.records(lines: 40)
        for part in 0..<5 {
            // In the middle of the engine's frame; relayd must not take it for the runner's.
            runner.garbage = [UInt8](repeating: UInt8(part), count: 1000) + FramedTransport.magic
            try world.attach(runner, pending: part == 3 ? [1, 0, 0, 0, 0, 0, 0, 3, 7, 7, 7] : [])
            try world.until("ready") { world.readyCount(Sample.runner) == part + 1 && runner.sink != nil }
            runner.emit(Array(records[(part * records.count / 5)..<((part + 1) * records.count / 5)]))
            if part % 2 == 0 { try world.until("stored") { runner.acknowledged == UInt64(runner.records.count) } }
        }
        try world.until("the end") { world.finished(7) != nil }
        #expect(try world.directory.bytes("jobs/7/1/log") == Sample.output(records))
        #expect(world.lost(Sample.runner) == nil)
        #expect(runner.jobsTaken == 1)
    }

    @Test func aWatcherIsToldEverythingAgain() throws {
        let world = try RelayWorld()
        let runner = ScriptedRunner(world.loop)
        _ = try world.call(Sample.job())
        try world.attach(runner)
        try world.until("job") { runner.job != nil }
        runner.emit(Sample.records(lines: 1))
        try world.until("the end") { world.finished(7) != nil }
        var again: [RelayEdge.RelayEvent] = []
        world.scheduler.open(RelayEdge.WatchEvents()) {
            again.append($0.event)
        } onEnd: { _ in
        }
        try world.until("snapshot") { again.count == world.events.count }
        #expect(again == world.events)
        _ = try world.call(RelayEdge.SettleJob(attempt: Sample.attempt()))
        var third: [RelayEdge.RelayEvent] = []
        world.scheduler.open(RelayEdge.WatchEvents()) {
            third.append($0.event)
        } onEnd: { _ in
        }
        try world.until("snapshot") { !third.isEmpty }
        #expect(third == [.runnerReady(.init(runner: Sample.runner))])
    }

    /// relayd starts all the same, and schedulerd learns it when it tells of the attempt again.
    @Test func anAttemptWhoseJournalCannotBeReadIsLost() throws {
        let directory = try TemporaryDirectory()
        _ = try RelayWorld(directory: directory)
        try directory.put([1, 2, 3], "open/7.1")
        let world = try RelayWorld(directory: directory)
        _ = try world.call(Sample.job())
        try world.until("the end") { world.finished(7) != nil }
        #expect(world.finished(7)?.result.state == .lost)
        _ = try world.call(RelayEdge.SettleJob(attempt: Sample.attempt()))
        _ = try world.call(Sample.job(8))
        #expect(world.finished(8) == nil)
    }

    @Test func whileTheDiskIsFullTheJobWaits() throws {
        var limits = RelayLimits()
        limits.retryTime = .milliseconds(5)
        let world = try RelayWorld(limits: limits)
        let runner = ScriptedRunner(world.loop)
        _ = try world.call(Sample.job())
        try world.attach(runner)
        try world.until("job") { runner.job != nil }
        var records = [Sample.begun(0)]
        for line in 0..<400 { records.append(Sample.log([UInt8](repeating: UInt8(line & 255), count: 30_000))) }
        records += [Sample.ended(0), Sample.jobEnded()]
        world.setFull(true)
        runner.emit(records)
        for _ in 0..<50 { world.loop.runPass(waiting: .milliseconds(2)) }
        #expect(runner.acknowledged == 0)
        #expect(world.finished(7) == nil)
        world.setFull(false)
        try world.until("the end") { world.finished(7) != nil }
        #expect(try world.directory.bytes("jobs/7/1/log") == Sample.output(records))
    }
}

/// The disk is full for longer than a runner has for an answer: what it says is not read, so it cannot be at fault.
@Suite struct LongStallTests {
    @Test func aFullDiskCostsNoRunner() throws {
        let world = try RelayWorld()
        let runner = ScriptedRunner(world.loop)
        _ = try world.call(Sample.job())
        try world.attach(runner)
        try world.until("job") { runner.job != nil }
        runner.isDeaf = true
        runner.emit([Sample.begun(0)])
        try world.until("an acknowledgement without an answer") { runner.asked == 1 }
        world.setFull(true)
        runner.emit([Sample.log("more")])
        world.settle()
        for _ in 0..<10 {
            world.clock.advance(seconds: 60)
            world.settle()
        }
        #expect(world.lost(Sample.runner) == nil)
        runner.isDeaf = false
        world.setFull(false)
        world.clock.advance(seconds: 2)
        runner.emit([Sample.ended(0), Sample.jobEnded()])
        try world.until("the end") { world.finished(7) != nil && runner.acknowledged == 4 }
        #expect(try world.directory.bytes("jobs/7/1/log") == Array("more".utf8))
    }

    /// It gets through, since only the way back is shut, and that no answer comes is not the runner's fault.
    @Test func aFullDiskStopsNoCancellation() throws {
        let world = try RelayWorld()
        let runner = ScriptedRunner(world.loop)
        _ = try world.call(Sample.job())
        try world.attach(runner)
        try world.until("job") { runner.job != nil }
        world.setFull(true)
        runner.emit([Sample.begun(0), Sample.log("more")])
        world.settle()
        _ = try world.call(RelayEdge.CancelJob(attempt: Sample.attempt(), graceSeconds: 9))
        try world.until("cancel") { runner.cancelGrace == 9 }
        for _ in 0..<3 {
            world.clock.advance(seconds: 60)
            world.settle()
        }
        #expect(world.lost(Sample.runner) == nil)
        world.setFull(false)
        world.clock.advance(seconds: 2)
        runner.emit([Sample.ended(0), Sample.jobEnded()])
        try world.until("the end") { world.finished(7) != nil }
    }

    /// The control: with room on the disk, the same silence is the runner's.
    @Test func withoutAFullDiskTheRunnerIsAtFault() throws {
        let world = try RelayWorld()
        let runner = ScriptedRunner(world.loop)
        _ = try world.call(Sample.job())
        try world.attach(runner)
        try world.until("job") { runner.job != nil }
        runner.isDeaf = true
        runner.emit([Sample.begun(0)])
        try world.until("an acknowledgement without an answer") { runner.asked == 1 }
        world.clock.advance(seconds: 60)
        try world.until("the loss") { world.lost(Sample.runner) != nil }
    }
}

/// relayd dies after every so many bytes that it wrote; the next one goes on with the same runner.
@Suite struct KillTests {
    @Test(arguments: 0..<40) func aKillInTheMiddleLosesAndRepeatsNothing(number: Int) throws {
        let records = Sample.records(lines: 60)
        let directory = try TemporaryDirectory()
        var runner: ScriptedRunner?
        // The journal's opening entry comes first; each life writes a little more than the one before.
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
                _ = try world.call(Sample.job())
            } catch is Failure {
                continue
            }
            try world.attach(current)
            try world.until("the end, of the job or of relayd") { world.isDead || world.finished(7) != nil }
            guard !world.isDead, let finished = world.finished(7) else { continue }
            #expect(finished.logBytes == UInt64(Sample.output(records).count))
            break
        }
        #expect(life > 3)
        #expect(try directory.bytes("jobs/7/1/log") == Sample.output(records))
        let log = try LogStore(state: directory.path, limit: 1 << 30).begin(Sample.job())
        #expect(log.events == Sample.events(records))
    }
}
