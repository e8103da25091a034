// The streams of events to schedulerd.

import Link
import Wire

/// Every open WatchEvents. One that does not read is ended: schedulerd opens a new one and is told everything again.
final class Watchers {
    private typealias Item = RelayEdge.WatchEvents.Item

    private let limit: Int
    private var sinks: [ItemSink<RelayEdge.WatchEvents.Item>] = []

    /// `limit`: bytes that a watcher may leave unread.
    init(limit: Int) {
        self.limit = limit
    }

    /// Begins with `snapshot`.
    func add(_ sink: ItemSink<RelayEdge.WatchEvents.Item>, snapshot: [RelayEdge.RelayEvent]) {
        sink.onClose = { [weak self, weak sink] in self?.sinks.removeAll { $0 === sink } }
        sinks.append(sink)
        for event in snapshot { sink.send(Item(event: event)) }
    }

    func send(_ event: RelayEdge.RelayEvent) {
        for sink in sinks {
            sink.send(Item(event: event))
            guard sink.pendingBytes > limit else { continue }
            sinks.removeAll { $0 === sink }
            sink.fail(Failure(.limitReached, "events are not being read"))
        }
    }
}
