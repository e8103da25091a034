// The life of one job in its runner, without any I/O: what has happened goes in, what to do comes out. Runner drives
// it.
//
//   idle -> preparing (source and grant) -> running (a step) -> clearing (what the step left) -> running ...
//        -> packing (the files that it leaves) -> ended
//
// JobMachine+Preparation: what has to be there, and what has to be gone, before the first step. JobMachine+Following:
// which step is next, and how the job ends. JobMachine+Packing: the files that it leaves. JobMachine+Stopping: ends
// that a job does not choose itself.
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
        /// Pack what this artifact rule names into records, then say `artifactPacked`.
        case pack(rule: Int)
        /// Make no more such records.
        case stopPacking
    }

    package enum Timer: Equatable, Sendable {
        case job
        case step
        /// Since the step last wrote something, or later: see `stepWrote`.
        case silence
        /// Between SIGTERM and SIGKILL.
        case grace
        /// Until the grace of a cancellation ends, for the steps that run in any case.
        case cancellation
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
        case packing(Packing)
        case ended
    }

    var phase = Phase.idle
    /// The job that was taken; nil before.
    package private(set) var definition: JobDefinition?
    var spec: JobSpec? { definition?.spec }
    let limits: GrantLimits
    /// The attempt that was taken; nil before.
    package private(set) var attempt: Attempt?
    /// A cancellation, the engine's end or the job's timeout has been taken: no further step begins, unless it is
    /// cancelled and the step runs in any case.
    var stopping: StopCause?
    /// When stopping: such a step begins before this moment only.
    var alwaysUntil = UInt64.max
    /// How the job ends, as soon as that is certain: its first failure, or that it was stopped.
    var verdict: JobResult?
    /// Nothing may run any more, whatever its `when` is.
    var isSpoilt = false
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
    package mutating func stepCouldNotStart(_ reason: String, now: UInt64) -> [Action] {
        guard case .running(let step) = phase, step.end == nil else { return [] }
        let result = StepResult(index: UInt16(step.index), outcome: .failed, exitCode: 127, durationMs: 0)
        let text = "\(title(step.index)) could not start: \(reason)"
        fail(step.index, .failed, exitCode: 127, text)
        return stopStepTimers() + [.record(.stepEnded(result))] + advance(to: step.index + 1, now: now)
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
        if let leftover {
            isSpoilt = true
            let reason = "a file with a secret of \(title(step.index)) could not be wiped: \(leftover)"
            if stopping == nil { fail(step.index, .failed, exitCode: end.status.code, reason) }
        }
        conclude(step, outcome, end.status)
        return [.record(.stepEnded(result))] + advance(to: step.index + 1, now: now)
    }

    private func stopStepTimers() -> [Action] {
        [.stopTimer(.step), .stopTimer(.silence), .stopTimer(.grace)]
    }
}
