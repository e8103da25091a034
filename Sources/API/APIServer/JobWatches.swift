// JobWatches: who waits for which job. However many clients follow a job with one token, schedulerd sees one WatchJob.
//
// Link has no way to give a stream up, so a watch that nobody follows any more would hold its place in the window
// until the job ends. Hence a connection of its own, and a new one when too many places are held for nobody: with the
// connection, everything that was abandoned is gone, and what is still followed is asked for again.

import Link
import Posix
import Wire

/// Lives on the loop's thread.
final class JobWatches {
    typealias Item = SchedulerEdge.WatchJob.Item

    /// One follower.
    final class Subscriber: Sendable {
        let continuation: AsyncThrowingStream<Item, any Error>.Continuation

        init(continuation: AsyncThrowingStream<Item, any Error>.Continuation) {
            self.continuation = continuation
        }
    }

    private struct Key: Hashable {
        let job: UInt64
        let token: String
    }

    private final class Watch {
        var subscribers: [ObjectIdentifier: Subscriber] = [:]
        var last: Item?
        /// In flight, on the connection that is up now.
        var isOpen = false
    }

    /// Jobs followed at the same time; Link's window is 64.
    private static let limit = 48
    /// Streams that nobody follows, before the connection is made anew.
    private static let abandonedLimit = 12

    private let client: LinkClient<SchedulerEdge>
    private let loop: PollLoop
    private var watches: [Key: Watch] = [:]
    /// Streams in flight whose watch is gone from the table.
    private var abandoned = 0
    /// Counts connections: what an earlier one still says is not about our streams.
    private var generation = 0

    init(client: LinkClient<SchedulerEdge>, loop: PollLoop) {
        self.client = client
        self.loop = loop
        client.onUp = { [weak self] in self?.openAll() }
        client.onDown = { [weak self] _ in self?.isDown() }
        client.start()
    }

    func add(_ subscriber: Subscriber, job: UInt64, token: String) {
        let key = Key(job: job, token: token)
        if let watch = watches[key] {
            watch.subscribers[ObjectIdentifier(subscriber)] = subscriber
            if let item = watch.last { subscriber.continuation.yield(item) }
            return
        }
        guard watches.count < Self.limit else {
            let failure = APIFailure(.limitReached, "too many jobs are followed at the same time; try again later")
            return subscriber.continuation.finish(throwing: failure)
        }
        let watch = Watch()
        watch.subscribers[ObjectIdentifier(subscriber)] = subscriber
        watches[key] = watch
        if client.isReady { open(key, watch) }
    }

    /// Harmless for one that has ended.
    func remove(_ subscriber: Subscriber) {
        let identifier = ObjectIdentifier(subscriber)
        guard let (key, watch) = watches.first(where: { $0.value.subscribers[identifier] != nil }) else { return }
        watch.subscribers[identifier] = nil
        guard watch.subscribers.isEmpty else { return }
        watches[key] = nil
        guard watch.isOpen else { return }
        // The place for Link's way to abandon a stream, once it has one.
        abandoned += 1
        if abandoned >= Self.abandonedLimit || watches.isEmpty { reconnect() }
    }

    private func reconnect() {
        isDown()
        client.stop()
        client.start()
    }

    private func isDown() {
        generation += 1
        abandoned = 0
        for watch in watches.values { watch.isOpen = false }
    }

    private func openAll() {
        for (key, watch) in watches { open(key, watch) }
    }

    private func open(_ key: Key, _ watch: Watch) {
        guard !watch.isOpen else { return }
        watch.isOpen = true
        let generation = generation
        client.open(
            SchedulerEdge.WatchJob(token: key.token, job: key.job),
            onItem: { [weak self] item in self?.item(item, for: key, watch, generation) },
            onEnd: { [weak self] failure in self?.ended(failure, key, watch, generation) })
    }

    private func item(_ item: Item, for key: Key, _ watch: Watch, _ generation: Int) {
        guard generation == self.generation, watches[key] === watch else { return }
        watch.last = item
        for subscriber in watch.subscribers.values { subscriber.continuation.yield(item) }
    }

    private func ended(_ failure: Failure?, _ key: Key, _ watch: Watch, _ generation: Int) {
        guard generation == self.generation else { return }
        guard watches[key] === watch else {
            abandoned -= 1
            return
        }
        watch.isOpen = false
        // schedulerd is away: it will be asked again when it is back.
        if let failure, failure.errorCode == .disconnected || failure.errorCode == .shuttingDown { return }
        watches[key] = nil
        for subscriber in watch.subscribers.values {
            subscriber.continuation.finish(throwing: failure.map { APIFailure($0) })
        }
    }
}
