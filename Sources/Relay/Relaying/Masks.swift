// The masks of all attempts that have secrets and are not over: relayd's side of the mask edge.

package import Daemon
package import Link
import LogStore
import Masker
package import Posix
package import Wire

extension Relay {
    /// The link to brokerd, not started. A job with secrets has one stream in it for its whole life.
    package static func maskClient(
        _ loop: PollLoop, _ path: String, _ limits: RelayLimits, _ log: Log
    ) -> LinkClient<MaskEdge> {
        let settings = LinkSettings(window: UInt16(clamping: 2 * limits.runners))
        let client = LinkClient<MaskEdge>(loop: loop, path: path, role: .relayd, settings: settings)
        client.onRefused = { failure in log.error("brokerd will not have us", ["reason": failure.text]) }
        return client
    }
}

final class Masks {
    private struct Entry {
        let masking: LogMasking
        let watch: MaskWatch
    }

    private let loop: PollLoop
    private let broker: LinkClient<MaskEdge>
    private let daemonLog: Log
    private var entries: [AttemptKey: Entry] = [:]
    /// Of the attempts that are over.
    private var past = Masker.Count()

    /// The first masks of an attempt are here.
    var arrived: ((AttemptLog) -> Void)?
    /// There will be none: brokerd does not know what its runner may hold.
    var impossible: ((AttemptLog) -> Void)?

    init(loop: PollLoop, broker: LinkClient<MaskEdge>, log: Log) {
        self.loop = loop
        self.broker = broker
        daemonLog = log
        broker.onUp = { [weak self] in
            guard let self else { return }
            for entry in entries.values { entry.watch.retry() }
        }
    }

    /// What the attempt's output goes through; asks brokerd for its masks until `end`. nil: the job has no secrets.
    func masking(of log: AttemptLog) -> LogMasking? {
        guard log.job.hasSecrets, log.ended == nil else { return nil }
        let key = AttemptKey(log.job.attempt)
        if let known = entries[key] { return known.masking }
        let masking = LogMasking(log)
        let job = "\(log.job.attempt.job)"
        let watch = MaskWatch(loop: loop, client: broker, attempt: log.job.attempt) { [weak self] file in
            let isFirst = !masking.isReady
            try masking.add(file)
            if isFirst { self?.arrived?(log) }
        } failed: { [weak self, daemonLog] failure in
            let isOver = !masking.isReady && failure.errorCode == .conflict
            let effect = isOver ? "it ends" : masking.isReady ? "it goes on with those that it has" : "it waits"
            daemonLog.warning("no masks for a job", ["job": job, "effect": effect, "reason": failure.text])
            if isOver { self?.impossible?(log) }
        }
        entries[key] = Entry(masking: masking, watch: watch)
        watch.start()
        return masking
    }

    /// Nothing more of this attempt will be written. What there was to mask is forgotten.
    func end(_ log: AttemptLog) {
        guard let entry = entries.removeValue(forKey: AttemptKey(log.job.attempt)) else { return }
        past += entry.masking.replaced
        entry.watch.stop()
    }

    /// What was replaced in all logs since the start.
    var replaced: Masker.Count {
        var sum = past
        for entry in entries.values { sum += entry.masking.replaced }
        return sum
    }
}
