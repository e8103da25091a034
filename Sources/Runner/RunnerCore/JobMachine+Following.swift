// Which step is next, and how the job ends. Every step has one result, in order: those that do not run are skipped as
// the machine passes them.

import Processes
import Wire

extension JobMachine {
    /// Begins the next step that is to run; when there is none, the steps are over.
    mutating func advance(to first: Int, now: UInt64) -> [Action] {
        guard let steps = spec?.steps else { return [] }
        var actions: [Action] = []
        for index in first..<max(first, steps.count) {
            if mayBegin(steps[index].when, now: now) { return actions + begin(step: index, now: now) }
            actions.append(Self.skip(index))
        }
        return actions + pack(from: 0, verdict ?? success)
    }

    /// By how the job has gone so far.
    private func mayBegin(_ when: When, now: UInt64) -> Bool {
        if isSpoilt { return false }
        if let stopping { return stopping == .cancelled && when == .always && now < alwaysUntil }
        return when.fits(success: verdict == nil)
    }

    private mutating func begin(step index: Int, now: UInt64) -> [Action] {
        guard let spec else { return [] }
        phase = .running(RunningStep(index: index, startedAt: now))
        lastHeard = now
        var actions: [Action] = [.record(.stepBegun(RunnerEdge.StepBegun(index: UInt16(index))))]
        let timeout = spec.steps[index].timeoutSeconds
        if timeout > 0 { actions.append(.startTimer(.step, milliseconds: UInt64(timeout) * 1000)) }
        if silenceLimit > 0 { actions.append(.startTimer(.silence, milliseconds: silenceLimit)) }
        return actions + [.start(step: index)]
    }

    private static func skip(_ index: Int) -> Action {
        .record(.stepEnded(StepResult(index: UInt16(index), outcome: .skipped, exitCode: 0, durationMs: 0)))
    }

    // MARK: - The verdict

    /// What the end of a step means to the job.
    mutating func conclude(_ step: RunningStep, _ outcome: StepOutcome, _ status: ExitStatus) {
        if let stopping {
            // Somebody wanted it cancelled, also one that had failed already. The other causes change nothing then.
            if verdict == nil || (stopping == .cancelled && verdict?.state != .cancelled) {
                verdict = stoppedResult(stopping, step: step.index, exitCode: status.code)
            }
        } else if outcome != .succeeded {
            let why = reason(step, outcome, status)
            if spec?.steps[step.index].continueOnError == true {
                tolerated = tolerated ?? why
            } else {
                fail(step.index, outcome == .timedOut ? .timedOut : .failed, exitCode: status.code, why)
            }
        }
    }

    /// The first failure is the one that counts.
    mutating func fail(_ index: Int, _ state: JobState, exitCode: UInt16, _ reason: String) {
        guard verdict == nil else { return }
        verdict = JobResult(
            state: state, failedStep: UInt16(index), exitCode: exitCode, reason: clipped(reason))
    }

    private var success: JobResult {
        let reason = tolerated.map { "succeeded, although \($0) (continue_on_error)" } ?? ""
        return JobResult(state: .succeeded, failedStep: nil, exitCode: 0, reason: clipped(reason))
    }

    // MARK: - The end

    /// Before the first step.
    mutating func endUnbegun(_ result: JobResult) -> [Action] {
        (spec?.steps.indices.map { Self.skip($0) } ?? []) + end(result)
    }

    mutating func end(_ result: JobResult) -> [Action] {
        phase = .ended
        return [.stopTimer(.job), .stopTimer(.grant), .stopTimer(.cancellation), .record(.jobEnded(result))]
    }
}

extension When {
    func fits(success: Bool) -> Bool {
        switch self {
        case .onSuccess: success
        case .onFailure: !success
        case .always: true
        }
    }
}
