// The states of a runner and the events that move it. The numbers are those of `RunnerState` in proto-spec/types.wire.
// A runner is used for one job; then its container is removed and its row with it.

/// Where a runner stands. A runner that is gone has no row and so no state.
package enum RunnerState: UInt8, CaseIterable, Hashable, Sendable {
    /// Wanted; spawnerd has not been asked.
    case pending = 1
    /// spawnerd is or will be asked; the runner has not said hello.
    case provisioning = 2
    /// It has said hello and knows of no job.
    case idle = 3
    /// relayd is or will be told to run its job.
    case busy = 4
    /// Its container is being removed.
    case teardown = 5
    /// The row does not exist (any more). Never written.
    case gone = 0

    /// The name in documents: `IDLE`.
    package var label: String {
        switch self {
        case .pending: "PENDING"
        case .provisioning: "PROVISIONING"
        case .idle: "IDLE"
        case .busy: "BUSY"
        case .teardown: "TEARDOWN"
        case .gone: "gone"
        }
    }
}

/// What can happen to a runner.
package enum RunnerEvent: String, CaseIterable, Hashable, Sendable {
    /// schedulerd is about to ask spawnerd for its container.
    case provisioned
    /// relayd says that it said hello.
    case ready
    /// A job is given to it.
    case taken
    /// spawnerd could not make it.
    case createFailed = "create failed"
    /// Its job has ended, however.
    case jobEnded = "job ended"
    /// The job that it was made for was cancelled before it was ready.
    case released
    /// A person removes it.
    case deleted
    /// Its container has ended or is not there.
    case exited
    /// It broke the protocol, or never said hello.
    case failed
    /// spawnerd says that its container is gone.
    case removed
}
