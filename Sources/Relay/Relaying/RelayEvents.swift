// How records of a runner become events for schedulerd.

import Daemon
import LogStore
import Wire

enum RelayEvents {
    /// Everything known of an attempt, in order.
    static func all(of log: AttemptLog) -> [RelayEdge.RelayEvent] {
        let started: [RelayEdge.RelayEvent] = log.isStarted ? [.jobStarted(.init(attempt: log.job.attempt))] : []
        return started + log.events.compactMap { event(of: $0, in: log) }
    }

    /// nil for what schedulerd has no use for.
    static func event(of record: RunnerEdge.Record, in log: AttemptLog) -> RelayEdge.RelayEvent? {
        let attempt = log.job.attempt
        switch record {
        case .log, .sourceReady, .artifact, .artifactEnded:
            return nil
        case .grantTaken:
            return .grantTaken(.init(attempt: attempt))
        case .stepBegun(let step):
            return .stepStarted(.init(attempt: attempt, index: step.index))
        case .stepEnded(let result):
            return .stepFinished(.init(attempt: attempt, result: result))
        case .jobEnded(var result):
            result.reason = plain(result.reason, limit: 512)
            return .jobFinished(.init(attempt: attempt, result: result, logBytes: log.logEnd))
        }
    }

    /// For an attempt that an earlier relayd held and whose journal cannot be read.
    static func unreadable(_ attempt: Attempt) -> RelayEdge.JobFinished {
        let reason = "relayd's journal of it cannot be read; nobody knows how far it came"
        let result = JobResult(state: .lost, failedStep: nil, exitCode: 0, reason: reason)
        return .init(attempt: attempt, result: result, logBytes: 0)
    }

    /// `reason`: masked.
    static func lost(_ runner: Bytes16, _ failure: Failure, _ reason: String) -> RelayEdge.RelayEvent {
        .runnerLost(.init(runner: runner, code: failure.code, reason: plain(reason, limit: 256)))
    }

    /// Text of a runner ends up on somebody's terminal: no control characters, and no more than `limit` bytes.
    static func plain(_ text: String, limit: Int) -> String {
        var result = ""
        var length = 0
        for scalar in text.unicodeScalars {
            let shown = scalar.isHidden ? "?" : scalar
            length += UTF8.width(shown)
            if length > limit { break }
            result.unicodeScalars.append(shown)
        }
        return result
    }
}
