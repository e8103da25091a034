// The states of a job and the events that move it. The numbers are those of `JobState` in proto-spec/types.wire.

/// Where a job stands.
package enum JobState: UInt8, CaseIterable, Hashable, Sendable {
    /// Waits for other jobs.
    case blocked = 1
    /// Waits for somebody's approval.
    case held = 2
    /// Waits for a runner, in the order of arrival.
    case queued = 3
    /// Has a runner, which is being made or has been told of the job.
    case assigned = 4
    /// The runner has begun.
    case running = 5
    case succeeded = 6
    case failed = 7
    case cancelled = 8
    case timedOut = 9
    /// The runner went away and nobody knows how far the job came.
    case lost = 10

    /// A final state never changes.
    package var isFinal: Bool { rawValue >= JobState.succeeded.rawValue }

    /// The name in documents: `QUEUED`.
    package var label: String {
        switch self {
        case .blocked: "BLOCKED"
        case .held: "HELD"
        case .queued: "QUEUED"
        case .assigned: "ASSIGNED"
        case .running: "RUNNING"
        case .succeeded: "SUCCEEDED"
        case .failed: "FAILED"
        case .cancelled: "CANCELLED"
        case .timedOut: "TIMED_OUT"
        case .lost: "LOST"
        }
    }
}

/// What can happen to a job.
package enum JobEvent: String, CaseIterable, Hashable, Sendable {
    case dependenciesMet = "dependencies met"
    /// What it waits for ended in another way than it needs.
    case skipped
    /// It has waited in the queue for longer than it wants to.
    case expired
    case approved
    /// The dispatcher reserved a runner for it.
    case assigned
    /// Its runner cannot be had now, or brokerd releases nothing for it now; no runner was told of the job.
    case unassigned
    /// It can never run as it is: image missing, refused by policy, a secret that is not there.
    case unrunnable
    /// relayd says that the runner has begun.
    case started
    case reportedSuccess = "reported succeeded"
    case reportedFailure = "reported failed"
    case reportedCancelled = "reported cancelled"
    case reportedTimeout = "reported timed out"
    /// A person cancels; no runner has been told of the job.
    case withdrawn
    /// A person cancels; a runner has been told of the job.
    case cancelAsked = "cancel asked"
    /// The grace of a cancellation has passed and the runner has not ended the job.
    case cancelForced = "cancel forced"
    /// The timeout and its margin have passed and the runner has not ended the job.
    case overdue
    /// The engine says that the container's memory limit ended it.
    case outOfMemory = "out of memory"
    /// The container or its stream is gone, or the runner broke the protocol.
    case runnerLost = "runner lost"
    /// The same, and its policy allows another attempt.
    case retried
}
