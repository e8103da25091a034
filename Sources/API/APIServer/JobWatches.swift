// JobWatches: who waits for which job. Each follower has a WatchJob of its own, given up when it goes away and asked
// for again when schedulerd comes back.

import Link
import Wire

/// Lives on the loop's thread.
final class JobWatches {
    typealias Item = SchedulerEdge.WatchJob.Item

    /// One follower; known by its identity.
    final class Follower: Sendable {
        let request: SchedulerEdge.WatchJob
        let continuation: AsyncThrowingStream<Item, any Error>.Continuation

        init(request: SchedulerEdge.WatchJob, continuation: AsyncThrowingStream<Item, any Error>.Continuation) {
            self.request = request
            self.continuation = continuation
        }
    }

    private struct Watch {
        let follower: Follower
        /// The stream in flight; nil while the link is down.
        var stream: StreamHandle?
    }

    private let client: LinkClient<SchedulerEdge>
    /// Below the link's window, so that there is always room for calls.
    private let limit: Int
    private var watches: [ObjectIdentifier: Watch] = [:]

    init(client: LinkClient<SchedulerEdge>, limit: Int) {
        self.client = client
        self.limit = limit
    }

    func add(_ follower: Follower) {
        guard watches.count < limit else {
            let failure = APIFailure(.limitReached, "too many jobs are followed at the same time; try again later")
            return follower.continuation.finish(throwing: failure)
        }
        watches[ObjectIdentifier(follower)] = Watch(follower: follower)
        if client.isReady { open(follower) }
    }

    /// Harmless for one that has ended.
    func remove(_ follower: Follower) {
        watches.removeValue(forKey: ObjectIdentifier(follower))?.stream?.abandon()
    }

    /// The link is up, maybe again.
    func openAll() {
        for watch in watches.values where watch.stream == nil { open(watch.follower) }
    }

    private func open(_ follower: Follower) {
        watches[ObjectIdentifier(follower)]?.stream = client.open(
            follower.request, onItem: { follower.continuation.yield($0) },
            onEnd: { [weak self] failure in self?.ended(follower, failure) })
    }

    private func ended(_ follower: Follower, _ failure: Failure?) {
        // schedulerd is away: it will be asked again when it is back.
        if let failure, failure.errorCode == .disconnected || failure.errorCode == .shuttingDown {
            watches[ObjectIdentifier(follower)]?.stream = nil
            return
        }
        watches[ObjectIdentifier(follower)] = nil
        follower.continuation.finish(throwing: failure.map { APIFailure($0) })
    }
}
