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
            return endUnbegun(stoppedResult(cause, step: nil, exitCode: 0))
        case .packing: return stopPacking(cause)
        case .running(let step): return cancel(step, cause, grace: grace, now: now)
        }
    }

    private mutating func cancel(
        _ step: RunningStep, _ cause: StopCause, grace: UInt64, now: UInt64
    ) -> [Action] {
        let isCancelled = cause == .cancelled
        // Began after a cancellation: said again, that one is not for it.
        let runsAnyway = isCancelled && stopping == .cancelled && step.stopCause == nil
        let alwaysFollows = spec?.steps.dropFirst(step.index + 1).contains { $0.when == .always } ?? false
        stopping = stopping ?? cause
        var actions: [Action] = []
        if step.end == nil && !runsAnyway {
            // Those that follow need some of the grace.
            let isShared = isCancelled && alwaysFollows
            actions = stop(cause, grace: isShared ? min(grace, JobMachine.timeoutGrace) : grace, now: now)
        }
        let end = isCancelled ? now + grace : now
        guard end < alwaysUntil else { return actions }
        alwaysUntil = end
        let needsTimer = runsAnyway || (isCancelled && alwaysFollows && grace > 0)
        return actions + (needsTimer ? [.startTimer(.cancellation, milliseconds: grace)] : [])
    }

    package mutating func timerFired(_ timer: Timer, now: UInt64) -> [Action] {
        switch (timer, phase) {
        case (.grace, .running(let step)) where step.end == nil:
            return [.killEverything]
        case (.cancellation, .running(var step)) where step.end == nil:
            step.stopCause = step.stopCause ?? .cancelled
            phase = .running(step)
            return [.stopTimer(.step), .killEverything]
        case (.step, .running(let step)) where step.end == nil:
            return stop(.stepTimeout, grace: JobMachine.timeoutGrace, now: now)
        case (.silence, .running(let step)) where step.end == nil && step.stopCause == nil:
            if let left = silenceLeft(now: now) { return [.startTimer(.silence, milliseconds: left)] }
            return stop(.silence, grace: JobMachine.timeoutGrace, now: now)
        case (.job, .preparing):
            return endUnbegun(stoppedResult(.jobTimeout, step: nil, exitCode: 0))
        case (.job, .packing):
            return stopPacking(.jobTimeout)
        case (.grant, .preparing(let preparation)):
            return preparationFailed(outOfPatience(preparation))
        case (.job, .running(let step)):
            if stopping == nil { stopping = .jobTimeout }
            alwaysUntil = now
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
