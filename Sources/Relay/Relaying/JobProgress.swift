// What a runner may still report about its job. The runner is hostile: each record is checked against this table
// before a byte of it is stored. Pure.

package import Wire

/// Each step begins at most once and ends at most once, the source is ready and the grant taken at most once, and
/// nothing follows the end of the job. So the events of an attempt are bounded by its steps, whatever the runner does.
package struct JobProgress {
    package enum Violation: Error, Equatable {
        case numberGap(expected: UInt64, got: UInt64)
        case noJob
        case afterEnd
        case stepOutOfRange(UInt16)
        case stepTwice(UInt16)
        case sourceTwice
        case grantUnexpected
        case stateNotFinal
    }

    private let steps: Int
    private var begun: Set<UInt16> = []
    private var finished: Set<UInt16> = []
    private var sourceReady: Bool
    /// The job has secrets, and its grant has not been taken yet.
    private var awaitsGrant: Bool
    private var ended = false

    /// `events` are those that have been taken already.
    package init(job: RelayEdge.RunJob, events: [RunnerEdge.Record]) {
        steps = job.definition.spec.steps.count
        sourceReady = job.definition.source == nil
        awaitsGrant = job.hasSecrets
        for event in events { try? take(event) }
    }

    package mutating func take(_ record: RunnerEdge.Record) throws(Violation) {
        if ended { throw .afterEnd }
        switch record {
        case .log(let chunk):
            try checkRange(chunk.step)
        case .artifact, .artifactEnded:
            throw .noJob
        case .sourceReady:
            if sourceReady { throw .sourceTwice }
            sourceReady = true
        case .grantTaken:
            if !awaitsGrant { throw .grantUnexpected }
            awaitsGrant = false
        case .stepBegun(let step):
            try checkRange(step.index)
            if finished.contains(step.index) || !begun.insert(step.index).inserted { throw .stepTwice(step.index) }
        case .stepEnded(let result):
            try checkRange(result.index)
            if !finished.insert(result.index).inserted { throw .stepTwice(result.index) }
        case .jobEnded(let result):
            if let step = result.failedStep { try checkRange(step) }
            switch result.state {
            case .succeeded, .failed, .cancelled, .timedOut, .lost: ended = true
            case .blocked, .held, .queued, .assigned, .running: throw .stateNotFinal
            }
        }
    }

    private func checkRange(_ step: UInt16) throws(Violation) {
        if Int(step) >= steps { throw .stepOutOfRange(step) }
    }
}
