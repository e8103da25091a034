// A step that writes nothing for too long: the machine's part without a clock, and the whole runner.

import Posix
import Processes
import RunnerCore
import Testing
import Wire

@Suite(.serialized) struct SilenceTests {
    private static let quiet = Step("quiet", "x")

    @Test func silenceEndsAStepAsATimeoutDoes() {
        let job = MachineDriver()
        job.run(.of([Self.quiet, Step("next", "y")], silence: 600))
        #expect(job.actions.contains(.startTimer(.silence, milliseconds: 600_000)))
        job.now += 600_000
        job.actions = job.machine.timerFired(.silence, now: job.now)
        #expect(job.actions == [.stopTimer(.step), .terminateStep, .startTimer(.grace, milliseconds: 5000)])
        job.actions = job.machine.timerFired(.grace, now: job.now)
        #expect(job.actions == [.killEverything])
        job.finish(.signalled(9))
        #expect(job.outcomes == [.timedOut, .skipped])
        let reason = "step 1 'quiet' wrote nothing for 10m"
        #expect(job.end == JobResult(state: .timedOut, failedStep: 0, exitCode: 137, reason: reason))
    }

    /// The timer is not set anew for every word: when it ends, what is left of the time is waited for.
    @Test func wordsMoveTheEnd() {
        let job = MachineDriver()
        job.run(.of([Self.quiet], silence: 10))
        job.now += 4_000
        job.machine.stepWrote(now: job.now)
        job.now += 6_000
        let first = job.machine.timerFired(.silence, now: job.now)
        #expect(first == [.startTimer(.silence, milliseconds: 4_000)])
        job.now += 3_999
        let early = job.machine.timerFired(.silence, now: job.now)
        #expect(early == [.startTimer(.silence, milliseconds: 1)])
        job.now += 1
        let last = job.machine.timerFired(.silence, now: job.now)
        #expect(last.contains(.terminateStep))
    }

    /// What the step before said counts for nothing, and how long it was silent does not either.
    @Test func eachStepHasItsOwnSilence() {
        let job = MachineDriver()
        job.run(.of([Self.quiet, Step("two", "y")], silence: 10))
        job.now += 9_000
        job.actions = []
        job.finish(.exited(0), after: 0)
        #expect(job.actions.contains(.stopTimer(.silence)))
        #expect(job.actions.contains(.startTimer(.silence, milliseconds: 10_000)))
        job.now += 9_999
        let early = job.machine.timerFired(.silence, now: job.now)
        #expect(early == [.startTimer(.silence, milliseconds: 1)])
    }

    @Test func withoutALimitAStepMayBeSilent() {
        let job = MachineDriver()
        job.run(.of([Self.quiet]))
        #expect(!job.actions.contains { if case .startTimer(.silence, _) = $0 { true } else { false } })
    }

    @Test func continueOnErrorCoversSilence() {
        let job = MachineDriver()
        job.run(.of([Step("quiet", "x", continueOnError: true), Step("two", "y")], silence: 10))
        job.now += 10_000
        job.actions += job.machine.timerFired(.silence, now: job.now)
        job.finish(.signalled(15))
        job.finish(.exited(0))
        #expect(job.end?.state == .succeeded)
        #expect(job.end?.reason.contains("step 1 'quiet' wrote nothing for 10s") == true)
    }

    /// A step that cleans up after a cancellation has the grace that it was promised, silent or not.
    @Test func silenceShortensNoGrace() {
        let job = MachineDriver()
        job.run(.of([Self.quiet], silence: 10))
        job.actions += job.machine.cancel(grace: 60_000, now: job.now)
        job.now += 10_000
        let actions = job.machine.timerFired(.silence, now: job.now)
        #expect(actions == [])
        job.finish(.signalled(15))
        #expect(job.end?.state == .cancelled)
    }

    // MARK: the whole runner

    @Test func aSilentStepIsEnded() throws {
        let (journal, _) = try RunnerProcessTests.run(
            .of([Step("quiet", "echo begun; sleep 1000"), Step("next", "true")], silence: 1))
        #expect(journal.outcomes == [.timedOut, .skipped])
        #expect(journal.end?.state == .timedOut && journal.end?.failedStep == 0)
        #expect(journal.end?.reason == "step 1 'quiet' wrote nothing for 1s")
        #expect(journal.text == "begun\n")
    }

    /// Words on stderr, words without an end of a line, and those of a child in the background: all of them count.
    @Test(arguments: ["printf . >&2", "printf ."]) func whoWritesIsNotSilent(_ word: String) throws {
        let child = "(while :; do \(word); sleep 0.1; done) & sleep 3.5"
        let (journal, _) = try RunnerProcessTests.run(.of([Step("busy", child)], silence: 2))
        #expect(journal.end?.state == .succeeded, "\(journal.end?.reason ?? "")")
        #expect((journal.text + journal.errors).contains("."))
    }

    /// relayd takes nothing for longer than the step may be silent: that is relayd's silence.
    @Test func aStepThatNobodyListensToIsNotSilent() throws {
        let child = try RunnerChild()
        let relay = try TestRelay(child)
        try relay.attach()
        relay.acknowledges = false
        try relay.start(.of([Step("loud", "head -c 3000000 /dev/zero | tr '\\0' x; echo done")], silence: 1))
        var last: UInt64 = 0
        // Until the runner's memory is full and it listens no more.
        try relay.run {
            defer { last = relay.journal.durable }
            return relay.journal.merged.count > 900_000 && relay.journal.durable == last
        }
        let deaf = relay.loop.now + 2_500_000_000
        try relay.run { relay.loop.now > deaf }
        #expect(relay.journal.end == nil)
        relay.acknowledges = true
        try relay.call(RunnerEdge.Acknowledge(durable: relay.journal.durable))
        #expect(try relay.finish().state == .succeeded)
        #expect(relay.journal.text.hasSuffix("xdone\n"))
    }
}
