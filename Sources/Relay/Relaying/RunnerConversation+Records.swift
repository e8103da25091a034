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
            if case .log(let chunk) = item.record {
                log.stage(output: chunk.bytes, number: item.number)
            } else {
                try log.stage(event: item.record, number: item.number)
            }
            owner?.staged(self)
            if log.stagedBytes >= Self.commitBytes, !isStalled { commit() }
        } catch {
            violation("record \(item.number): \(error)")
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
            if log.ended != nil { jobEnded() }
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
            case .failure(let failure): self.failed(failure)
            }
        }
    }
}
