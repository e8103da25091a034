// The records of a runner: checked, staged, put on disk, acknowledged, in this order.

import Link
import LogStore
import Posix
import Wire

extension RunnerConversation {
    /// Output that is committed without waiting for the end of the pass.
    private static let commitBytes = 256 << 10
    /// A runner that never answers an Acknowledge does not make them pile up.
    private static let acknowledgementsAhead = 4

    /// Last record that has been taken, on disk or staged.
    private var taken: UInt64 { log?.taken ?? durable }

    func take(_ item: RunnerEdge.Records.Item) {
        guard !isClosed else { return }
        // A runner that reconnects repeats what it does not know to be on disk.
        guard item.number > taken else { return }
        do {
            guard item.number == taken + 1 else {
                throw JobProgress.Violation.numberGap(expected: taken + 1, got: item.number)
            }
            guard let log else { throw JobProgress.Violation.noJob }
            try progress?.take(item.record)
            try stage(item.record, item.number, in: log)
            owner?.staged(self)
            if log.stagedBytes >= Self.commitBytes, !isStalled { commit() }
        } catch {
            violation("record \(item.number): \(error)")
        }
    }

    private func stage(_ record: RunnerEdge.Record, _ number: UInt64, in log: AttemptLog) throws {
        switch record {
        case .log(let chunk):
            guard let masking else {
                return log.stage(output: chunk.bytes, number: number, reaching: LogPoint(number: number))
            }
            try masking.stage(chunk.bytes, number: number, in: log)
        case .artifact(let chunk):
            // Files are not masked. What is held back of the log is let go of.
            try passMasking(in: log)
            log.stage(artifact: chunk.bytes, rule: chunk.rule, number: number)
        case .sourceReady, .grantTaken, .stepBegun, .stepEnded, .jobEnded, .artifactEnded:
            try passMasking(in: log)
            try log.stage(event: masked(record), number: number)
        }
    }

    /// An event stands behind all of the output before it: a step's end is its log's end, too.
    private func passMasking(in log: AttemptLog) throws {
        guard let masking else { return }
        guard masking.isReady else { throw LogMasking.Violation.noMasks }
        guard !masking.isMidRecord else { throw LogMasking.Violation.repeatedOtherwise }
        masking.flush(in: log)
    }

    private func masked(_ record: RunnerEdge.Record) -> RunnerEdge.Record {
        switch record {
        case .jobEnded(var result) where masking != nil:
            result.reason = RelayEvents.plain(words(result.reason, limit: 512), limit: 512)
            return .jobEnded(result)
        case .artifactEnded(var ended):
            ended.problem = RelayEvents.plain(words(ended.problem, limit: 256), limit: 256)
            return .artifactEnded(ended)
        default:
            return record
        }
    }

    /// Puts what is staged on disk, acknowledges it and reports the events in it. When the disk takes no more, the
    /// runner is not read from until it does: the job waits, and nothing is lost.
    func commit() {
        guard !isClosed, let log, log.hasStaged else { return }
        do {
            let events = try log.commit()
            setStalled(nil)
            durable = log.durable
            if log.ended != nil {
                jobEnded()
                owner?.jobEnded(log)
            }
            acknowledge()
            if !events.isEmpty { owner?.recorded(events, in: log) }
        } catch {
            setStalled(error)
            retryLater()
        }
    }

    private func retryLater() {
        guard !isRetryDue else { return }
        isRetryDue = true
        loop.after(limits.retryTime) { [weak self] in
            self?.isRetryDue = false
            self?.commit()
        }
    }

    private func setStalled(_ error: StoreError?) {
        guard isStalled != (error != nil) else { return }
        isStalled = error != nil
        transport.isPaused = isStalled
        owner?.stalled(self, error)
    }

    private func acknowledge() {
        guard let connection, acknowledged < durable else { return }
        guard acknowledgementsInFlight < Self.acknowledgementsAhead else { return }
        acknowledged = durable
        acknowledgementsInFlight += 1
        let request = RunnerEdge.Acknowledge(durable: durable)
        connection.call(request, deadline: limits.answerTime) { [weak self] result, _ in
            guard let self, !self.isClosed else { return }
            self.acknowledgementsInFlight -= 1
            switch result {
            case .success: self.acknowledge()
            case .failure(let failure): self.notAnswered(failure)
            }
        }
    }
}
