// What schedulerd is told when a conversation with a runner fails.

import Link
import Wire

extension Failure {
    /// Two codes are enough: the runner is gone or silent, or it broke the protocol. The codes that a runner sends are
    /// its own invention and go no further than the text.
    static func ofRunner(_ failure: Failure) -> Failure {
        switch failure.errorCode {
        case .disconnected, .deadlineExceeded, .runnerGone: Failure(.runnerGone, failure.text)
        case .runnerViolation: failure
        default: Failure(.runnerViolation, "\(failure.errorCode.name): \(failure.text)")
        }
    }
}
