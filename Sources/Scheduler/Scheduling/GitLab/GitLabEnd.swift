// A job's end in the words of the courier edge.

import JobWire
import Store
import Wire

enum GitLabEnd {
    static func of(
        _ job: JobRow, _ steps: [StepRow], isCancelledThere: Bool
    ) -> (CourierEdge.JobEndWord, exitCode: UInt16) {
        let code = job.result?.exitCode ?? 0
        let outcome = job.result?.failedStep.flatMap { failed in steps.first { $0.index == failed }?.result?.outcome }
        return switch job.state {
        case .succeeded: (.succeeded, 0)
        case .failed where outcome == .outOfMemory: (.outOfMemory, code)
        // It never came to a step: what it wants is not here.
        case .failed where job.result?.failedStep == nil:
            (job.reason.contains("image") ? .imageMissing : .refused, 0)
        case .failed: (.failed, code)
        case .timedOut: (outcome == .timedOut ? .stepTimedOut : .timedOut, 0)
        case .cancelled: (isCancelledThere ? .cancelledThere : .cancelledHere, 0)
        case .lost, .blocked, .held, .queued, .assigned, .running: (.lost, 0)
        }
    }
}
