// A runner that is silent where it should speak is found; one that has nothing to say is left alone.

import Glibc
import Link
import Posix
import Relaying
import Testing
import Wire

@Suite struct PulseTests {
    private static let silent = ErrorCode.deadlineExceeded.rawValue

    private func idle(_ world: RelayWorld) throws -> ScriptedRunner {
        let runner = ScriptedRunner(world.loop)
        try world.attach(runner)
        try world.until("ready") { world.readyCount(Sample.runner) == 1 }
        return runner
    }

    @Test func anIdleRunnerIsAskedAndKept() throws {
        let world = try RelayWorld()
        let runner = try idle(world)
        for round in 1...10 {
            world.clock.advance(seconds: 15)
            try world.until("question \(round)") { runner.questions == round }
            world.settle()
        }
        #expect(world.lost(Sample.runner) == nil)
        _ = try world.call(Sample.job())
        try world.until("the job") { world.started(7) }
    }

    @Test func anIdleRunnerThatDoesNotAnswerIsLost() throws {
        let world = try RelayWorld()
        let runner = try idle(world)
        runner.isDeaf = true
        world.clock.advance(seconds: 15)
        try world.until("the question") { runner.questions == 1 }
        world.clock.advance(seconds: 5)
        world.settle()
        #expect(world.lost(Sample.runner) == nil)
        world.clock.advance(seconds: 5)
        try world.until("the loss") { world.lost(Sample.runner) != nil }
        #expect(world.lost(Sample.runner)?.code == Self.silent)
        #expect(world.lost(Sample.runner)?.reason == "it is idle and does not answer for 10s")
        #expect(runner.transport?.isEnded ?? true)
    }

    /// It may be busy, and is asked again when it is idle again.
    @Test func aRunnerAtWorkIsNotAsked() throws {
        let world = try RelayWorld()
        let runner = try idle(world)
        _ = try world.call(Sample.job())
        try world.until("the job") { world.started(7) }
        for _ in 0..<10 {
            world.clock.advance(seconds: 15)
            world.settle()
        }
        #expect(runner.questions == 0 && world.lost(Sample.runner) == nil)
        runner.emit([Sample.begun(0), Sample.ended(0), Sample.ended(1, .skipped), Sample.jobEnded()])
        try world.until("the end") { world.finished(7) != nil && runner.acknowledged == 4 }
        world.clock.advance(seconds: 15)
        try world.until("the question") { runner.questions == 1 }
    }

    @Test func aRunnerThatDoesNotTakeItsJobIsLost() throws {
        let world = try RelayWorld()
        let runner = try idle(world)
        runner.isDeaf = true
        _ = try world.call(Sample.job())
        world.settle()
        world.clock.advance(seconds: 20)
        world.settle()
        #expect(world.lost(Sample.runner) == nil)
        world.clock.advance(seconds: 10)
        try world.until("the loss") { world.lost(Sample.runner) != nil }
        #expect(world.lost(Sample.runner)?.code == Self.silent)
        #expect(world.lost(Sample.runner)?.reason == "it was given a job and has not answered for 30s")
        #expect(!world.started(7))
    }

    /// A job that waits for its masks has not been given to its runner: that is still asked, and is not at fault.
    @Test func waitingForMasksIsNotTheRunnersSilence() throws {
        let world = try RelayWorld()
        let runner = try idle(world)
        _ = try world.call(Sample.job(secrets: true))
        for round in 1...5 {
            world.clock.advance(seconds: 15)
            try world.until("question \(round)") { runner.questions == round }
            world.settle()
        }
        #expect(world.lost(Sample.runner) == nil && !world.started(7))
        try world.broker.give(["hunter2-hunter2"])
        try world.until("the job") { world.started(7) }
    }

    /// A container that is paused, a process that is stopped: nothing closes, and it is found all the same. Beside it
    /// one that runs is asked just as often, and takes a job afterwards.
    @Test(arguments: [false, true]) func aStoppedProcess(hasJob: Bool) throws {
        var limits = RelayLimits()
        limits.idleTime = hasJob ? .seconds(3600) : .milliseconds(50)
        limits.idleAnswerTime = .seconds(3)
        limits.startTime = .seconds(3)
        let world = try RelayWorld(limits: limits)
        let (stopped, running) = (try RunnerProcess(), try RunnerProcess())
        for runner in [stopped, running] {
            try world.attach(runner)
            try world.until("ready") { world.readyCount(runner.id) == 1 }
        }
        world.settle()
        try stopped.signal(SIGSTOP)
        if hasJob { _ = try world.call(Sample.job(1, runner: stopped.id)) }
        try world.until("the loss") { world.lost(stopped.id) != nil }
        #expect(world.lost(stopped.id)?.code == Self.silent)
        #expect(!world.started(1))
        _ = try world.call(Sample.job(2, runner: running.id))
        try world.until("the job") { world.started(2) }
        #expect(world.lost(running.id) == nil)
    }
}
