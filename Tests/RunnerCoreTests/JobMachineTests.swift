// The job's life, event by event.

import Processes
import RunnerCore
import Testing
import Wire

/// Drives a machine and keeps what it says.
final class MachineDriver {
    var machine = JobMachine()
    var now: UInt64 = 1000
    var actions: [JobMachine.Action] = []

    /// - Parameter wiped: whether the grant's directory is empty from the start.
    func run(_ spec: JobSpec, withSource: Bool = false, wiped: Bool = true) {
        let source = withSource ? Source(sha256: Digest.of([]), size: 1) : nil
        actions += machine.run(.test, .of(spec, source: source), now: now)
        if wiped { actions += machine.grantWiped(now: now) }
    }

    func finish(_ exit: Processes.ExitStatus, after milliseconds: UInt64 = 10, outOfMemory: Bool = false) {
        now += milliseconds
        actions += machine.stepExited(exit, now: now)
        actions += machine.stepCleared(outOfMemory: outOfMemory, now: now)
    }

    var hasEnded: Bool { machine.hasEnded }

    var started: [Int] {
        actions.compactMap { if case .start(let step) = $0 { step } else { nil } }
    }

    var results: [StepResult] {
        actions.compactMap { if case .record(.stepEnded(let result)) = $0 { result } else { nil } }
    }

    var outcomes: [StepOutcome] { results.map(\.outcome) }

    var end: JobResult? {
        for case .record(.jobEnded(let result)) in actions { return result }
        return nil
    }
}

@Suite struct JobMachineTests {
    static let three = [Step("one", "true"), Step("two", "true"), Step("three", "true")]

    @Test func allGoesWell() {
        let job = MachineDriver()
        job.run(.of(Self.three))
        for _ in 0..<3 { job.finish(.exited(0)) }
        #expect(job.started == [0, 1, 2])
        #expect(job.outcomes == [.succeeded, .succeeded, .succeeded])
        #expect(job.results.map(\.durationMs) == [10, 10, 10])
        #expect(job.end == JobResult(state: .succeeded, failedStep: nil, exitCode: 0, reason: ""))
        #expect(job.hasEnded)
    }

    @Test func stepsWaitForTheSource() {
        let job = MachineDriver()
        job.run(.of(Self.three), withSource: true)
        #expect(job.started == [])
        job.actions += job.machine.sourceReady(files: 5, now: job.now)
        #expect(job.started == [0])
        #expect(job.actions.contains(.record(.sourceReady(RunnerEdge.SourceReady(files: 5)))))
    }

    @Test func aBadSourceFailsTheJob() {
        let job = MachineDriver()
        job.run(.of(Self.three), withSource: true)
        job.actions += job.machine.preparationFailed("source archive: bad")
        #expect(job.outcomes == [.skipped, .skipped, .skipped])
        #expect(job.end == JobResult(state: .failed, failedStep: nil, exitCode: 0, reason: "source archive: bad"))
    }

    @Test func aFailedStepEndsTheJob() {
        let job = MachineDriver()
        job.run(.of(Self.three))
        job.finish(.exited(0))
        job.finish(.exited(3))
        #expect(job.outcomes == [.succeeded, .failed, .skipped])
        let reason = "step 2 'two' failed with exit code 3"
        #expect(job.end == JobResult(state: .failed, failedStep: 1, exitCode: 3, reason: reason))
    }

    @Test func continueOnErrorGoesOn() {
        let job = MachineDriver()
        job.run(.of([Step("lint", "x", continueOnError: true), Step("test", "y")]))
        job.finish(.exited(1))
        job.finish(.exited(0))
        #expect(job.outcomes == [.failed, .succeeded])
        #expect(job.end?.state == .succeeded)
        #expect(job.end?.reason == "succeeded, although step 1 'lint' failed with exit code 1 (continue_on_error)")
    }

    @Test func theReasonHelps() {
        func reason(_ exit: Processes.ExitStatus, outOfMemory: Bool = false) -> String? {
            let job = MachineDriver()
            job.run(.of([Step("test", "x")]))
            job.finish(exit, outOfMemory: outOfMemory)
            return job.end?.reason
        }
        #expect(reason(.exited(127)) == "step 1 'test' failed with exit code 127 (a command was not found)")
        #expect(reason(.signalled(11)) == "step 1 'test' was ended by signal 11 (SIGSEGV)")
        #expect(
            reason(.signalled(9), outOfMemory: true)
                == "step 1 'test' ran out of memory: the memory limit of 64MiB was hit; raise resources.memory")
        #expect(reason(.exited(0), outOfMemory: true) == "", "a step that coped has succeeded")
    }

    @Test func aStepThatCannotStartFailsTheJob() {
        let job = MachineDriver()
        job.run(.of([Step("one", "x", continueOnError: true), Step("two", "x")]))
        job.actions += job.machine.stepCouldNotStart(
            "the image has no /bin/sh, which runs the steps", now: job.now)
        #expect(job.outcomes == [.failed, .skipped])
        #expect(job.end?.reason == "step 1 'one' could not start: the image has no /bin/sh, which runs the steps")
    }

    @Test func aStepTimeout() {
        let job = MachineDriver()
        job.run(.of([Step("slow", "x", timeout: 10), Step("next", "y")]))
        #expect(job.actions.contains(.startTimer(.step, milliseconds: 10_000)))
        job.actions = []
        job.actions += job.machine.timerFired(.step, now: job.now)
        #expect(job.actions == [.stopTimer(.step), .terminateStep, .startTimer(.grace, milliseconds: 5000)])
        job.actions = job.machine.timerFired(.grace, now: job.now)
        #expect(job.actions == [.killEverything])
        job.finish(.signalled(9))
        #expect(job.outcomes == [.timedOut, .skipped])
        let reason = "step 1 'slow' ran longer than 10s"
        #expect(job.end == JobResult(state: .timedOut, failedStep: 0, exitCode: 137, reason: reason))
    }

    @Test func aTimeoutIsATimeoutEvenIfTheStepThenExitsWell() {
        let job = MachineDriver()
        job.run(.of([Step("slow", "x", timeout: 10)]))
        job.actions += job.machine.timerFired(.step, now: job.now)
        job.finish(.exited(0))
        #expect(job.outcomes == [.timedOut])
    }

    @Test func continueOnErrorCoversAStepsTimeoutButNotTheJobs() {
        let job = MachineDriver()
        let first = Step("a", "x", timeout: 1, continueOnError: true)
        job.run(.of([first, Step("b", "y", continueOnError: true), Step("c", "z")], timeout: 60))
        job.actions += job.machine.timerFired(.step, now: job.now)
        job.finish(.signalled(15))
        #expect(job.started == [0, 1])
        job.actions += job.machine.timerFired(.job, now: job.now)
        job.finish(.signalled(15))
        #expect(job.outcomes == [.timedOut, .timedOut, .skipped])
        #expect(job.end?.state == .timedOut)
        #expect(job.end?.reason == "the job ran longer than 1m; its time ended during step 2 'b'")
    }

    @Test func cancelAndItsGrace() {
        let job = MachineDriver()
        job.run(.of(Self.three))
        job.actions = job.machine.cancel(grace: 10_000, now: job.now)
        #expect(job.actions == [.stopTimer(.step), .terminateStep, .startTimer(.grace, milliseconds: 10_000)])
        let longer = job.machine.cancel(grace: 20_000, now: job.now)
        #expect(longer == [], "a second one does not lengthen it")
        let shorter = job.machine.cancel(grace: 1000, now: job.now)
        #expect(shorter == [.startTimer(.grace, milliseconds: 1000)])
        job.finish(.signalled(15))
        #expect(job.outcomes == [.cancelled, .skipped, .skipped])
        let reason = "cancelled during step 1 'one'"
        #expect(job.end == JobResult(state: .cancelled, failedStep: 0, exitCode: 143, reason: reason))
        let late = job.machine.cancel(grace: 0, now: job.now)
        #expect(late == [])
    }

    /// The engine's end is nobody's decision and nobody's fault; what was decided before stands.
    @Test func theEngineStopsTheJob() {
        let job = MachineDriver()
        job.run(.of([Step("one", "x", continueOnError: true), Step("two", "true")]))
        job.actions += job.machine.cancel(.stopped, grace: 0, now: job.now)
        job.actions += job.machine.cancel(grace: 0, now: job.now)
        job.finish(.signalled(15))
        #expect(job.outcomes == [.cancelled, .skipped])
        #expect(job.end?.state == .lost && job.end?.reason.contains("engine stopped the runner during step 1") == true)

        let preparing = MachineDriver()
        preparing.run(.of(Self.three), withSource: true)
        preparing.actions += preparing.machine.cancel(.stopped, grace: 0, now: preparing.now)
        #expect(preparing.end?.state == .lost)

        let cancelled = MachineDriver()
        cancelled.run(.of(Self.three))
        cancelled.actions += cancelled.machine.cancel(grace: 10_000, now: cancelled.now)
        cancelled.actions += cancelled.machine.cancel(.stopped, grace: 0, now: cancelled.now)
        cancelled.finish(.signalled(15))
        #expect(cancelled.end?.state == .cancelled)
    }

    @Test func cancelWhileTheSourceArrives() {
        let job = MachineDriver()
        job.run(.of(Self.three), withSource: true)
        job.actions += job.machine.cancel(grace: 0, now: job.now)
        #expect(job.outcomes == [.skipped, .skipped, .skipped])
        #expect(job.end?.reason == "cancelled before the first step")
        let late = job.machine.sourceReady(files: 1, now: job.now)
        #expect(late == [])
    }

    @Test func cancelBetweenTheExitAndTheClearing() {
        let job = MachineDriver()
        job.run(.of(Self.three))
        job.actions += job.machine.stepExited(.exited(0), now: job.now)
        job.actions += job.machine.cancel(grace: 0, now: job.now)
        job.actions += job.machine.stepCleared(outOfMemory: false, now: job.now)
        #expect(job.outcomes == [.succeeded, .skipped, .skipped])
        #expect(job.end?.state == .cancelled)
    }

    /// No further step may find what a step's secret left: not even one that goes on after a failure.
    @Test(arguments: [Processes.ExitStatus.exited(0), .exited(1)])
    func aLeftoverEndsTheJob(_ exit: Processes.ExitStatus) {
        let job = MachineDriver()
        job.run(.of([Step("one", "x", continueOnError: true), Step("two", "true")]))
        job.actions += job.machine.stepExited(exit, now: job.now)
        job.actions += job.machine.stepCleared(outOfMemory: false, leftover: "pwrite: EIO", now: job.now)
        #expect(job.started == [0] && job.outcomes.last == .skipped)
        #expect(job.end?.state == .failed && job.end?.failedStep == 0)
        #expect(job.end?.reason == "a file with a secret of step 1 'one' could not be wiped: pwrite: EIO")
    }

    @Test func aReasonIsCutToItsBound() {
        let job = MachineDriver()
        job.run(.of(Self.three), withSource: true)
        job.actions += job.machine.preparationFailed(String(repeating: "ä", count: 400))
        #expect((job.end?.reason.utf8.count ?? 0) <= 512)
        #expect(job.end?.reason.hasSuffix("ä...") == true)
    }

    /// Whatever comes in whatever order: every step has exactly one result, in order, and the job exactly one end,
    /// last.
    @Test(arguments: 0..<200 as Range<UInt64>)
    func everyJobEndsOnce(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let job = MachineDriver()
        let uses = Bool.random(using: &random) ? [SecretUse("s", .variable, "S")] : []
        let steps = (0..<Int.random(in: 1...4, using: &random)).map {
            Step(
                "\($0)", "", timeout: 1, continueOnError: .random(using: &random),
                when: [.onSuccess, .onFailure, .always].randomElement(using: &random) ?? .always, secrets: uses)
        }
        let rules = [ArtifactRule(["a"]), ArtifactRule(["b"], when: .onFailure), ArtifactRule(["c"], when: .always)]
        job.run(
            .of(steps, timeout: 5, silence: 1, artifacts: rules), withSource: .random(using: &random), wiped: false)
        for _ in 0..<400 where !job.hasEnded {
            job.now += 1
            switch Int.random(in: 0..<14, using: &random) {
            case 0: job.actions += job.machine.sourceReady(files: 0, now: job.now)
            case 1...3: job.actions += job.machine.stepExited(.exited(.random(in: 0...1, using: &random)), now: job.now)
            case 4...6: job.actions += job.machine.stepCleared(outOfMemory: .random(using: &random), now: job.now)
            case 7:
                let timers: [JobMachine.Timer] = [.job, .step, .silence, .grace, .cancellation, .grant]
                let timer = timers.randomElement(using: &random) ?? .job
                job.actions += job.machine.timerFired(timer, now: job.now)
            case 8 where .random(using: &random): job.actions += job.machine.cancel(grace: 5, now: job.now)
            case 9 where Int.random(in: 0..<9, using: &random) == 0:
                job.actions += job.machine.stepCouldNotStart("x", now: job.now)
            case 10: job.actions += job.machine.grantTaken()
            case 11: job.actions += job.machine.grantWiped(now: job.now)
            case 12: job.machine.stepWrote(now: job.now)
            case 13: job.actions += job.machine.artifactPacked(files: 1, problem: "", seal: nil)
            default: break
            }
        }
        #expect(job.hasEnded, "seed \(seed)")
        #expect(job.results.map { Int($0.index) } == Array(steps.indices), "seed \(seed)")
        let asked = job.actions.compactMap { if case .pack(let rule) = $0 { UInt16(rule) } else { nil } }
        let packed = job.actions.compactMap { action -> UInt16? in
            if case .record(.artifactEnded(let ended)) = action { ended.rule } else { nil }
        }
        #expect(asked == packed && packed == packed.sorted(), "seed \(seed)")
        let taken = job.actions.firstIndex(of: .record(.grantTaken(RunnerEdge.GrantTaken())))
        if !uses.isEmpty, let first = job.actions.firstIndex(of: .start(step: 0)) {
            #expect(taken.map { $0 < first } == true, "seed \(seed): a step before its grant")
        }
        let records = job.actions.filter { if case .record = $0 { true } else { false } }
        guard case .record(.jobEnded) = records.last else {
            Issue.record("seed \(seed): the end is not last")
            return
        }
        #expect(records.count { if case .record(.jobEnded) = $0 { true } else { false } } == 1, "seed \(seed)")
    }
}
