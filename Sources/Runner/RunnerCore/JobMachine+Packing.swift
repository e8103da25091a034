// The files that a job leaves: when its steps are over, one artifact rule after the other. A job that is stopped leaves
// none; one that is stopped now says so of the rule at hand, whose pieces are of no use then.

package import Wire

extension JobMachine {
    struct Packing {
        let rule: Int
        /// How the job ends.
        let result: JobResult
    }

    /// Whether the last step has ended: nothing more of the grant is needed.
    package var stepsAreOver: Bool {
        switch phase {
        case .idle, .preparing, .running: false
        case .packing, .ended: true
        }
    }

    /// Begins the first rule from this one on that fits the outcome; when there is none, the job is over.
    mutating func pack(from first: Int, _ result: JobResult) -> [Action] {
        let rules = spec?.artifacts ?? []
        let next = rules.indices.dropFirst(first).first { rules[$0].when.fits(success: result.state == .succeeded) }
        guard let next, stopping == nil, !isSpoilt else { return end(result) }
        phase = .packing(Packing(rule: next, result: result))
        return [.pack(rule: next)]
    }

    /// All of the rule at hand is in records. `files`: in its archive; 0 as well if that is not complete.
    package mutating func artifactPacked(files: UInt32, problem: String, seal: Bytes32?) -> [Action] {
        guard case .packing(let packing) = phase else { return [] }
        return [ended(packing, files: files, problem, files > 0 ? seal : nil)]
            + pack(from: packing.rule + 1, packing.result)
    }

    /// Nobody waits for what is not there yet. A job that had failed has failed, unless somebody cancels it.
    mutating func stopPacking(_ cause: StopCause) -> [Action] {
        guard case .packing(let packing) = phase else { return [] }
        stopping = cause
        let stopped = stoppedResult(cause, step: nil, exitCode: 0)
        let stands = packing.result.state != .succeeded && cause != .cancelled
        return [.stopPacking, ended(packing, files: 0, stopped.reason, nil)] + end(stands ? packing.result : stopped)
    }

    private func ended(_ packing: Packing, files: UInt32, _ problem: String, _ seal: Bytes32?) -> Action {
        .record(
            .artifactEnded(
                RunnerEdge.ArtifactEnded(
                    rule: UInt16(packing.rule), files: files, problem: clipped(problem, to: 256), seal: seal)))
    }
}
