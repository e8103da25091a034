// Ends that a job does not choose itself: somebody cancels it, the engine stops its container, a time runs out. First
// it is asked, then it is killed.

import Wire

extension JobMachine {
    /// Cancel, or SIGTERM. A second one can shorten the grace, not lengthen it.
    /// - Parameters:
    ///   - cause: `.stopped` loses the job, which has done nothing to deserve it.
    ///   - grace: milliseconds between SIGTERM and SIGKILL.
    package mutating func cancel(_ cause: StopCause = .cancelled, grace: UInt64, now: UInt64) -> [Action] {
        switch phase {
        case .idle, .ended: return []
        case .preparing:
            stopping = cause
            return end(after: nil, stoppedResult(cause, step: nil, exitCode: 0))
        case .running(let step):
            if stopping == nil { stopping = cause }
            return step.end == nil ? stop(cause, grace: grace, now: now) : []
        }
    }

    package mutating func timerFired(_ timer: Timer, now: UInt64) -> [Action] {
        switch (timer, phase) {
        case (.grace, .running(let step)) where step.end == nil:
            return [.killEverything]
        case (.step, .running(let step)) where step.end == nil:
            return stop(.stepTimeout, grace: JobMachine.timeoutGrace, now: now)
        case (.silence, .running(let step)) where step.end == nil && step.stopCause == nil:
            if let left = silenceLeft(now: now) { return [.startTimer(.silence, milliseconds: left)] }
            return stop(.silence, grace: JobMachine.timeoutGrace, now: now)
        case (.job, .preparing):
            return end(after: nil, stoppedResult(.jobTimeout, step: nil, exitCode: 0))
        case (.grant, .preparing(let preparation)):
            return preparationFailed(outOfPatience(preparation))
        case (.job, .running(let step)):
            if stopping == nil { stopping = .jobTimeout }
            return step.end == nil ? stop(.jobTimeout, grace: JobMachine.timeoutGrace, now: now) : []
        default:
            return []
        }
    }

    /// The first reason to stop is the one that counts, and the earliest end of a grace.
    private mutating func stop(_ cause: StopCause, grace: UInt64, now: UInt64) -> [Action] {
        guard case .running(var step) = phase else { return [] }
        var actions: [Action] = []
        if step.stopCause == nil {
            step.stopCause = cause
            actions = [.stopTimer(.step), .terminateStep]
        }
        let end = now + grace
        if end < step.graceEndsAt ?? .max {
            step.graceEndsAt = end
            actions.append(.startTimer(.grace, milliseconds: grace))
        }
        phase = .running(step)
        return actions
    }
}
