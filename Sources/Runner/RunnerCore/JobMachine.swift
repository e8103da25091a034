// The life of one job in its runner, without any I/O: what has happened goes in, what to do comes out. Runner drives
// it.
//
//   idle -> preparing (source and grant) -> running (a step) -> clearing (what the step left) -> running ... -> ended
//
// JobMachine+Preparation: what has to be there, and what has to be gone, before the first step. JobMachine+Stopping:
// ends that a job does not choose itself.
//
// A runner runs one job in its life: its records are numbered through, and its container is thrown away afterwards.

package import Processes
package import Wire

/// The state machine of a job.
package struct JobMachine: ~Copyable {
    /// What the machine's owner is to do, in order.
    package enum Action: Equatable {
        case record(RunnerEdge.Record)
        /// Start the step's process, then say `stepCouldNotStart` or later `stepExited`.
        case start(step: Int)
        /// SIGTERM to the step's process group.
        case terminateStep
        /// SIGKILL to everything but the runner, until nothing is left; drain the step's output; then say
        /// `stepCleared`.
        case killEverything
        /// Start this timer anew; when it runs out, say `timerFired`.
        case startTimer(Timer, milliseconds: UInt64)
        case stopTimer(Timer)
        /// Look into the grant's directory for what `awaited` says, at once and then again and again.
        case watchGrant
    }

    package enum Timer: Equatable, Sendable {
        case job
        case step
        /// Since the step last wrote something, or later: see `stepWrote`.
        case silence
        /// Between SIGTERM and SIGKILL.
        case grace
        /// What is awaited of the grant's directory.
        case grant
    }

    /// How long a step that ran out of its time has between SIGTERM and SIGKILL.
    package static let timeoutGrace: UInt64 = 5_000

    package enum StopCause {
        case stepTimeout
        case silence
        case jobTimeout
        case cancelled
        /// The engine stops the container.
        case stopped
    }

    struct RunningStep {
        let index: Int
        let startedAt: UInt64
        /// Once the process has exited.
        var end: (status: ExitStatus, durationMs: UInt64)?
        /// Why it was told to stop, if it was before it exited.
        var stopCause: StopCause?
        /// When SIGKILL follows SIGTERM.
        var graceEndsAt: UInt64?
    }

    enum Phase {
        case idle
        case preparing(Preparation)
        case running(RunningStep)
        case ended
    }

    var phase = Phase.idle
    /// The job that was taken; nil before.
    package private(set) var definition: JobDefinition?
    var spec: JobSpec? { definition?.spec }
    let limits: GrantLimits
    /// The attempt that was taken; nil before.
    package private(set) var attempt: Attempt?
    /// A cancellation, the engine's end or the job's timeout has been taken: no further step begins.
    var stopping: StopCause?
    /// When the step that runs last wrote something, or began.
    var lastHeard: UInt64 = 0
    /// Steps that failed although the job goes on (`continue_on_error`), in words.
    var tolerated: String?

    package init(limits: GrantLimits = GrantLimits()) {
        self.limits = limits
    }

    package var hasEnded: Bool {
        if case .ended = phase { true } else { false }
    }
    package var isIdle: Bool {
        if case .idle = phase { true } else { false }
    }

    // MARK: - What happens
    //
    // `now`, here and everywhere: milliseconds of a clock that only goes forward.

    /// RunJob. Only in `idle`; the caller has compared attempts.
    package mutating func run(_ attempt: Attempt, _ definition: JobDefinition, now: UInt64) -> [Action] {
        guard isIdle else { return [] }
        self.attempt = attempt
        self.definition = definition
        var actions: [Action] = []
        let timeout = definition.spec.timeoutSeconds
        if timeout > 0 { actions.append(.startTimer(.job, milliseconds: UInt64(timeout) * 1000)) }
        return actions + prepare(definition)
    }

    /// The step's process could not be made.
    package mutating func stepCouldNotStart(_ reason: String) -> [Action] {
        guard case .running(let step) = phase, step.end == nil else { return [] }
        let result = StepResult(index: UInt16(step.index), outcome: .failed, exitCode: 127, durationMs: 0)
        let text = "\(title(step.index)) could not start: \(reason)"
        let job = JobResult(
            state: .failed, failedStep: UInt16(step.index), exitCode: 127, reason: clipped(text))
        return stopStepTimers() + [.record(.stepEnded(result))] + end(after: step.index, job)
    }

    /// The step's own process has exited; what it left behind is still there.
    package mutating func stepExited(_ status: ExitStatus, now: UInt64) -> [Action] {
        guard case .running(var step) = phase, step.end == nil else { return [] }
        step.end = (status, now - min(now, step.startedAt))
        phase = .running(step)
        return stopStepTimers() + [.killEverything]
    }

    /// Nothing of the step is left and all of its output is in records.
    /// - Parameters:
    ///   - outOfMemory: the memory limit was hit while the step ran.
    ///   - leftover: why a file with a secret of its may be left; no further step may find it.
    package mutating func stepCleared(outOfMemory: Bool, leftover: String? = nil, now: UInt64) -> [Action] {
        guard case .running(let step) = phase, let end = step.end else { return [] }
        let outcome = outcome(of: step, end.status, outOfMemory: outOfMemory)
        let result = StepResult(
            index: UInt16(step.index), outcome: outcome, exitCode: end.status.code, durationMs: end.durationMs)
        let record = Action.record(.stepEnded(result))
        if let leftover, stopping == nil {
            let reason = "a file with a secret of \(title(step.index)) could not be wiped: \(leftover)"
            let job = JobResult(
                state: .failed, failedStep: UInt16(step.index), exitCode: end.status.code, reason: clipped(reason))
            return [record] + self.end(after: step.index, job)
        }
        return [record] + follow(step, outcome, end.status, now: now)
    }

    // MARK: - What follows

    mutating func begin(step index: Int, now: UInt64) -> [Action] {
        guard let spec, index < spec.steps.count else { return succeed() }
        phase = .running(RunningStep(index: index, startedAt: now))
        lastHeard = now
        var actions: [Action] = [.record(.stepBegun(RunnerEdge.StepBegun(index: UInt16(index))))]
        let timeout = spec.steps[index].timeoutSeconds
        if timeout > 0 { actions.append(.startTimer(.step, milliseconds: UInt64(timeout) * 1000)) }
        if silenceLimit > 0 { actions.append(.startTimer(.silence, milliseconds: silenceLimit)) }
        return actions + [.start(step: index)]
    }

    private mutating func succeed() -> [Action] {
        let reason = tolerated.map { "succeeded, although \($0) (continue_on_error)" } ?? ""
        return end(
            after: nil, JobResult(state: .succeeded, failedStep: nil, exitCode: 0, reason: clipped(reason)))
    }

    private mutating func follow(
        _ step: RunningStep, _ outcome: StepOutcome, _ status: ExitStatus, now: UInt64
    ) -> [Action] {
        let index = step.index
        if let stopping { return end(after: index, stoppedResult(stopping, step: index, exitCode: status.code)) }
        if outcome == .succeeded { return begin(step: index + 1, now: now) }
        let why = reason(step, outcome, status)
        if spec?.steps[index].continueOnError == true {
            tolerated = tolerated ?? why
            return begin(step: index + 1, now: now)
        }
        let state: JobState = outcome == .timedOut ? .timedOut : .failed
        return end(
            after: index,
            JobResult(state: state, failedStep: UInt16(index), exitCode: status.code, reason: clipped(why)))
    }

    /// The job is over: what has not begun is skipped.
    mutating func end(after index: Int?, _ result: JobResult) -> [Action] {
        var first = 0
        if let index { first = index + 1 } else if result.state == .succeeded { first = spec?.steps.count ?? 0 }
        let count = spec?.steps.count ?? 0
        phase = .ended
        var actions: [Action] = [.stopTimer(.job), .stopTimer(.grant)]
        for skipped in first..<max(first, count) {
            let step = StepResult(index: UInt16(skipped), outcome: .skipped, exitCode: 0, durationMs: 0)
            actions.append(.record(.stepEnded(step)))
        }
        return actions + [.record(.jobEnded(result))]
    }

    private func stopStepTimers() -> [Action] {
        [.stopTimer(.step), .stopTimer(.silence), .stopTimer(.grace)]
    }
}
