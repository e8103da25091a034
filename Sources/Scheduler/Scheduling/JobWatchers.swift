// Who follows which job (WatchJob).

import JobWire
import Link
import Store
import Wire

/// The open streams, by job. Lives on the loop's thread.
final class JobWatchers {
    typealias Sink = ItemSink<SchedulerEdge.WatchJob.Item>

    private var sinks: [UInt64: [Sink]] = [:]

    var count: Int { sinks.values.reduce(0) { $0 + $1.count } }

    /// From now on `sink` is told every change; it is ended after the final state.
    func add(_ sink: Sink, job: UInt64) {
        sinks[job, default: []].append(sink)
        sink.onClose = { [weak self, weak sink] in
            guard let self else { return }
            sinks[job]?.removeAll { $0 === sink }
            if sinks[job]?.isEmpty == true { sinks[job] = nil }
        }
    }

    func tell(_ changes: [JobChange]) {
        for change in changes {
            guard let watching = sinks[change.job] else { continue }
            for sink in watching {
                sink.send(.init(state: change.state, reason: change.reason))
                if change.state.isFinal { sink.end() }
            }
        }
    }
}
