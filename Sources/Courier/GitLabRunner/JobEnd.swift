// JobEnd: every way in which a job ends here, and how GitLab hears of it. GitLab takes only the reasons that it has
// listed; an older one hears an older word.

package enum JobEnd: Equatable, Sendable {
    case succeeded
    /// The exit code of a step; 128 and more for a signal. GitLab compares it with `allow_failure: exit_codes` itself.
    case failed(exitCode: UInt16)
    /// A step ran into the memory limit.
    case outOfMemory(exitCode: UInt16)
    /// A step's own time, or the silence that it may keep.
    case stepTimedOut
    case timedOut
    /// GitLab has said so.
    case cancelledThere
    /// Somebody here has said so, or the house was drained.
    case cancelledHere
    /// The runner is gone, and nobody knows how far the job came.
    case lost
    case imageMissing
    /// The source, an artifact or a forge cannot be had.
    case unreachable
    /// It wants what is not here.
    case unsupported
    /// What GitLab says of it cannot be read.
    case malformed
    /// Policy, size, a secret that is not there: this house will not run it as it is.
    case refused

    /// The best word first.
    fileprivate var reasons: [String] {
        switch self {
        case .succeeded: []
        case .failed, .outOfMemory: ["script_failure"]
        case .stepTimedOut, .timedOut: ["job_execution_timeout"]
        case .cancelledThere: ["job_canceled"]
        case .cancelledHere: ["runner_interrupted", "runner_system_failure"]
        case .lost, .malformed: ["runner_system_failure"]
        case .imageMissing: ["image_pull_failure", "runner_external_dependency_failure", "runner_system_failure"]
        case .unreachable: ["runner_external_dependency_failure", "runner_system_failure"]
        case .unsupported, .refused: ["runner_configuration_error", "runner_system_failure"]
        }
    }

    fileprivate var exitCode: UInt16? {
        switch self {
        case .failed(let code), .outOfMemory(let code): code
        default: nil
        }
    }
}

/// The end of a job as a PUT says it.
package struct FinalState: Equatable, Sendable {
    /// What every GitLab knows that lists nothing.
    private static let oldest = ["script_failure", "runner_system_failure", "job_execution_timeout"]
    /// Where none of an end's own words is known.
    private static let plainest = ["script_failure", "unknown_failure"]

    package let isSuccess: Bool
    package let reason: String?
    package let exitCode: UInt16?

    /// - Parameter listed: what the job's `features.failure_reasons` says; nil: nothing.
    package init(_ end: JobEnd, listed: [String]?) {
        isSuccess = end == .succeeded
        exitCode = end.exitCode
        let known = listed ?? Self.oldest
        reason = isSuccess ? nil : (end.reasons + Self.plainest).first { known.contains($0) }
    }
}
