// Steps that run by how the job has gone so far, in the machine alone.

import Processes
import RunnerCore
import Testing
import Wire

@Suite struct StepWhenTests {
    struct Row: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let steps: [Step]
        /// Of the steps that run, in order.
        let exits: [Int32]
        let outcomes: [StepOutcome]
        let end: JobState
        var failedStep: UInt16?
        var exitCode: UInt16 = 0
    }

    private static func step(_ when: When, tolerated: Bool = false) -> Step {
        Step("\(when)", "x", continueOnError: tolerated, when: when)
    }

    static let rows: [Row] = [
        Row(
            testDescription: "all is well", steps: [step(.onSuccess), step(.onFailure), step(.always)],
            exits: [0, 0], outcomes: [.succeeded, .skipped, .succeeded], end: .succeeded),
        Row(
            testDescription: "a failure", steps: [step(.onSuccess), step(.onSuccess), step(.onFailure), step(.always)],
            exits: [3, 0, 0], outcomes: [.failed, .skipped, .succeeded, .succeeded], end: .failed, failedStep: 0,
            exitCode: 3),
        Row(
            testDescription: "a tolerated failure is none",
            steps: [step(.onSuccess, tolerated: true), step(.onFailure), step(.onSuccess)],
            exits: [3, 0], outcomes: [.failed, .skipped, .succeeded], end: .succeeded),
        Row(
            testDescription: "the first failure counts",
            steps: [step(.onSuccess), step(.onFailure), step(.always, tolerated: true)],
            exits: [3, 4, 5], outcomes: [.failed, .failed, .failed], end: .failed, failedStep: 0, exitCode: 3),
        Row(
            testDescription: "a last word fails the job", steps: [step(.onSuccess), step(.always)],
            exits: [0, 9], outcomes: [.succeeded, .failed], end: .failed, failedStep: 1, exitCode: 9),
        Row(
            testDescription: "unless it is tolerated", steps: [step(.onSuccess), step(.always, tolerated: true)],
            exits: [0, 9], outcomes: [.succeeded, .failed], end: .succeeded),
        Row(
            testDescription: "what always runs may come first", steps: [step(.always), step(.onSuccess)],
            exits: [1], outcomes: [.failed, .skipped], end: .failed, failedStep: 0, exitCode: 1),
        Row(
            testDescription: "nothing runs", steps: [step(.onFailure)], exits: [], outcomes: [.skipped],
            end: .succeeded),
    ]

    @Test(arguments: rows) func whatRuns(_ row: Row) {
        let job = MachineDriver()
        job.run(.of(row.steps))
        for exit in row.exits { job.finish(.exited(exit)) }
        #expect(job.outcomes == row.outcomes)
        #expect(job.end?.state == row.end && job.end?.failedStep == row.failedStep)
        #expect(job.end?.exitCode == row.exitCode)
    }

    private static let script = [step(.onSuccess), step(.onSuccess), step(.onFailure), step(.always)]

    private func running(_ steps: [Step] = script, timeout: UInt32 = 0) -> MachineDriver {
        let job = MachineDriver()
        job.run(.of(steps, timeout: timeout))
        job.actions = []
        return job
    }

    // MARK: - Failures of other kinds

    @Test func aTimeoutIsAFailure() {
        for timer in [JobMachine.Timer.step, .silence] {
            let job = MachineDriver()
            let steps = [Step("slow", "x", timeout: 1), Self.step(.onSuccess), Self.step(.always)]
            job.run(.of(steps, silence: 1))
            job.now += 1000
            job.actions += job.machine.timerFired(timer, now: job.now)
            job.finish(.signalled(15))
            job.finish(.exited(0))
            #expect(job.outcomes == [.timedOut, .skipped, .succeeded])
            #expect(job.end?.state == .timedOut && job.end?.failedStep == 0)
        }
    }

    @Test func soIsTheEndOfTheMemory() {
        let job = running()
        job.finish(.signalled(9), outOfMemory: true)
        #expect(job.started == [2])
    }

    @Test func aStepThatCannotStart() {
        let job = running()
        job.actions += job.machine.stepCouldNotStart("no shell", now: job.now)
        job.finish(.exited(0))
        job.finish(.exited(0))
        #expect(job.outcomes == [.failed, .skipped, .succeeded, .succeeded])
        #expect(job.end?.reason.contains("no shell") == true)
    }

    /// No step may find what another's secret left, whatever its `when` is.
    @Test func aLeftoverEndsAll() {
        let job = running()
        job.actions += job.machine.stepExited(.exited(1), now: job.now)
        job.actions += job.machine.stepCleared(outOfMemory: false, leftover: "EIO", now: job.now)
        #expect(job.outcomes == [.failed, .skipped, .skipped, .skipped])
    }

    // MARK: - Ends from outside

    @Test func aCancelledJobHasItsLastWord() {
        let job = running()
        job.actions = job.machine.cancel(grace: 60_000, now: job.now)
        #expect(
            job.actions == [
                .stopTimer(.step), .terminateStep, .startTimer(.grace, milliseconds: 5000),
                .startTimer(.cancellation, milliseconds: 60_000),
            ])
        job.finish(.signalled(15))
        #expect(job.started == [3])
        job.finish(.exited(7))
        #expect(job.outcomes == [.cancelled, .skipped, .skipped, .failed])
        #expect(job.end?.state == .cancelled && job.end?.failedStep == 0 && job.end?.exitCode == 143)
    }

    @Test func aShortGraceIsShared() {
        let job = running()
        let actions = job.machine.cancel(grace: 3000, now: job.now)
        #expect(actions.contains(.startTimer(.grace, milliseconds: 3000)))
        job.finish(.signalled(9), after: 3000)
        #expect(job.outcomes == [.cancelled, .skipped, .skipped, .skipped], "nothing of it is left")
    }

    @Test func theGraceEndsTheLastWord() {
        let job = running()
        job.actions += job.machine.cancel(grace: 6000, now: job.now)
        job.finish(.signalled(15))
        let end = job.machine.timerFired(.cancellation, now: job.now)
        #expect(end == [.stopTimer(.step), .killEverything])
        job.finish(.signalled(9))
        #expect(job.outcomes == [.cancelled, .skipped, .skipped, .cancelled] && job.end?.state == .cancelled)
    }

    /// relayd says it again whenever the runner's stream begins anew.
    @Test func aCancellationSaidAgain() {
        let job = running()
        job.actions += job.machine.cancel(grace: 60_000, now: job.now)
        job.finish(.signalled(15))
        let again = job.machine.cancel(grace: 60_000, now: job.now)
        #expect(again == [])
        let shorter = job.machine.cancel(grace: 100, now: job.now)
        #expect(shorter == [.startTimer(.cancellation, milliseconds: 100)])
        let now = job.machine.cancel(grace: 0, now: job.now)
        #expect(now == [.startTimer(.cancellation, milliseconds: 0)])
    }

    /// Whether the step is there or is being cleared away.
    @Test(arguments: [false, true]) func aCancellationOfWhatHadFailed(whileClearing: Bool) {
        let job = running()
        job.finish(.exited(1))
        if whileClearing { job.actions += job.machine.stepExited(.exited(0), now: job.now) }
        job.actions += job.machine.cancel(grace: 60_000, now: job.now)
        if whileClearing {
            job.actions += job.machine.stepCleared(outOfMemory: false, now: job.now)
        } else {
            job.finish(.signalled(15))
        }
        job.finish(.exited(0))
        #expect(job.outcomes == [.failed, .skipped, whileClearing ? .succeeded : .cancelled, .succeeded])
        #expect(job.end?.state == .cancelled && job.end?.failedStep == 2)
    }

    enum Stop: CaseIterable {
        case withoutGrace, engine, jobTimeout
    }

    @Test(arguments: Stop.allCases) func theyEndAll(stop: Stop) {
        let job = running(timeout: 60)
        switch stop {
        case .withoutGrace: job.actions += job.machine.cancel(grace: 0, now: job.now)
        case .engine: job.actions += job.machine.cancel(.stopped, grace: 5000, now: job.now)
        case .jobTimeout: job.actions += job.machine.timerFired(.job, now: job.now)
        }
        job.finish(.signalled(15))
        #expect(job.outcomes.suffix(3) == [.skipped, .skipped, .skipped])
        #expect(job.hasEnded && job.actions.contains(.terminateStep))
    }

    /// Also when a cancellation has let a step begin; and what had failed has failed.
    @Test(arguments: [false, true]) func theJobsTimeEndsTheLastWord(isCancelled: Bool) {
        let job = running(Self.script + [Self.step(.always)], timeout: 60)
        if isCancelled { job.actions += job.machine.cancel(grace: 60_000, now: job.now) }
        job.finish(.exited(1))
        if !isCancelled { job.finish(.exited(0)) }
        job.actions += job.machine.timerFired(.job, now: job.now)
        job.finish(.signalled(15))
        #expect(job.outcomes.last == .skipped && job.outcomes.dropLast().last == .timedOut)
        #expect(job.end?.state == (isCancelled ? .cancelled : .failed) && job.end?.failedStep == 0)
    }

    // MARK: - Packing

    static let rules = [
        ArtifactRule(["a"]), ArtifactRule(["b"], when: .onFailure), ArtifactRule(["c"], when: .always),
    ]

    private func packing(_ exit: Int32 = 0) -> MachineDriver {
        let job = MachineDriver()
        job.run(.of([Step("one", "x")], timeout: 60, artifacts: Self.rules))
        job.finish(.exited(exit))
        return job
    }

    @Test(arguments: [0, 1] as [Int32]) func rulesByTheOutcome(exit: Int32) {
        let job = packing(exit)
        let first = exit == 0 ? 0 : 1
        #expect(job.actions.last == .pack(rule: first) && job.end == nil)
        job.actions = job.machine.artifactPacked(files: 2, problem: "", seal: nil)
        let ended = RunnerEdge.ArtifactEnded(rule: UInt16(first), files: 2, problem: "", seal: nil)
        #expect(job.actions == [.record(.artifactEnded(ended)), .pack(rule: 2)])
        job.actions = job.machine.artifactPacked(files: 0, problem: String(repeating: "x", count: 300), seal: nil)
        let cut = RunnerEdge.ArtifactEnded(
            rule: 2, files: 0, problem: String(repeating: "x", count: 253) + "...", seal: nil)
        #expect(job.actions.first == .record(.artifactEnded(cut)))
        #expect(job.end?.state == (exit == 0 ? .succeeded : .failed) && job.hasEnded)
    }

    @Test func aCancelledJobLeavesNothing() {
        let job = MachineDriver()
        job.run(.of([Step("one", "x"), Self.step(.always)], artifacts: Self.rules))
        job.actions += job.machine.cancel(grace: 5000, now: job.now)
        job.finish(.signalled(15))
        job.finish(.exited(0))
        #expect(job.hasEnded && !job.actions.contains { if case .pack = $0 { true } else { false } })
    }

    @Test(arguments: [0, 1] as [Int32], Stop.allCases) func nobodyWaitsForTheRest(exit: Int32, stop: Stop) {
        let job = packing(exit)
        let actions =
            switch stop {
            case .withoutGrace: job.machine.cancel(grace: 60_000, now: job.now)
            case .engine: job.machine.cancel(.stopped, grace: 5000, now: job.now)
            case .jobTimeout: job.machine.timerFired(.job, now: job.now)
            }
        job.actions = actions
        #expect(actions.first == .stopPacking && job.hasEnded)
        guard actions.count > 1, case .record(.artifactEnded(let ended)) = actions[1] else {
            Issue.record("the rule has no end")
            return
        }
        #expect(ended.rule == UInt16(exit) && ended.files == 0)
        #expect(ended.problem.hasSuffix("while its files were packed") || stop == .engine)
        let state: JobState =
            switch stop {
            case .withoutGrace: .cancelled
            case .engine: exit == 0 ? .lost : .failed
            case .jobTimeout: exit == 0 ? .timedOut : .failed
            }
        #expect(job.end?.state == state)
        let late = job.machine.artifactPacked(files: 1, problem: "", seal: nil)
        #expect(late == [])
    }
}
