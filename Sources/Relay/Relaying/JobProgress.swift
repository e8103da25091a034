// What a runner may still report about its job. The runner is hostile: each record is checked against this table
// before a byte of it is stored. Pure.

package import Wire

/// Each step begins at most once and ends at most once, the source is ready and the grant taken at most once. Then come
/// the artifacts, rule by rule, and nothing else between them; and nothing follows the end of the job. So the events of
/// an attempt are bounded by its steps and rules, whatever the runner does.
package struct JobProgress {
    package enum Violation: Error, Equatable {
        case numberGap(expected: UInt64, got: UInt64)
        case noJob
        case afterEnd
        case stepOutOfRange(UInt16)
        case stepTwice(UInt16)
        case sourceTwice
        case grantUnexpected
        case ruleOutOfRange(UInt16)
        case ruleOutOfOrder(UInt16)
        case filesWithoutPieces(UInt16)
        case artifactsBegan
        case artifactUnfinished(UInt16)
        case stateNotFinal
    }

    private let steps: Int
    private let rules: Int
    private var begun: Set<UInt16> = []
    private var finished: Set<UInt16> = []
    private var sourceReady: Bool
    /// The job has secrets, and its grant has not been taken yet.
    private var awaitsGrant: Bool
    /// The first artifact rule that may still come, once one has.
    private var nextRule: UInt16?
    /// Pieces have come of that, and its end has not.
    private var isInRule = false
    private var ended = false

    /// `events` are those that have been taken already, and so are pieces of these artifacts.
    package init(job: RelayEdge.RunJob, events: [RunnerEdge.Record], artifacts: Set<UInt16> = []) {
        steps = job.definition.spec.steps.count
        rules = job.definition.spec.artifacts.count
        sourceReady = job.definition.source == nil
        awaitsGrant = job.hasSecrets
        for event in events {
            if case .artifactEnded(let ended) = event {
                nextRule = ended.rule + 1
            } else {
                try? take(event)
            }
        }
        if let open = artifacts.max(), open >= nextRule ?? 0 {
            nextRule = open
            isInRule = true
        }
    }

    package mutating func take(_ record: RunnerEdge.Record) throws(Violation) {
        if ended { throw .afterEnd }
        try checkOrder(record)
        switch record {
        case .log(let chunk):
            try checkRange(chunk.step)
        case .artifact(let chunk):
            try checkRule(chunk.rule)
            nextRule = chunk.rule
            isInRule = true
        case .artifactEnded(let artifact):
            try checkRule(artifact.rule)
            if artifact.files > 0 && !isInRule { throw .filesWithoutPieces(artifact.rule) }
            nextRule = artifact.rule + 1
            isInRule = false
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

    private func checkOrder(_ record: RunnerEdge.Record) throws(Violation) {
        guard let nextRule else { return }
        switch record {
        case .artifact, .artifactEnded: break
        case .jobEnded: if isInRule { throw .artifactUnfinished(nextRule) }
        case .log, .sourceReady, .grantTaken, .stepBegun, .stepEnded: throw .artifactsBegan
        }
    }

    private func checkRule(_ rule: UInt16) throws(Violation) {
        if Int(rule) >= rules { throw .ruleOutOfRange(rule) }
        let next = nextRule ?? 0
        if isInRule ? rule != next : rule < next { throw .ruleOutOfOrder(rule) }
    }

    private func checkRange(_ step: UInt16) throws(Violation) {
        if Int(step) >= steps { throw .stepOutOfRange(step) }
    }
}
