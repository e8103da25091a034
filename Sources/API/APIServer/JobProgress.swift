// JobProgress: how far a followed job is. One task listens to schedulerd, another copies the log and looks here.

import JobWire
import Synchronization
import Wire

/// The latest state of a job, or why there is none any more.
final class JobProgress: Sendable {
    private let latest: Mutex<Result<Wire.JobState, any Error>>
    /// Something to look at: a new state, or a second has passed. For one listener.
    let news: AsyncStream<Void>
    private let announcer: AsyncStream<Void>.Continuation

    init(_ state: Wire.JobState) {
        latest = Mutex(.success(state))
        (news, announcer) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// News every second, so that the listener notices when its own client has left. Returns when it is cancelled.
    func tick() async {
        while (try? await Task.sleep(for: .seconds(1))) != nil { announcer.yield() }
    }

    /// Throws what ended the stream before the job's end: a log that is cut must not look like one that is complete.
    var state: Wire.JobState {
        get throws { try latest.withLock { try $0.get() } }
    }

    /// Returns when the job or the stream has ended.
    func follow(_ states: AsyncThrowingStream<SchedulerEdge.WatchJob.Item, any Error>) async {
        do {
            for try await item in states { set(.success(item.state)) }
            guard let last = try? state, last.isFinal else { return set(.failure(Self.cut)) }
        } catch {
            set(.failure(error))
        }
    }

    private func set(_ result: Result<Wire.JobState, any Error>) {
        latest.withLock { $0 = result }
        announcer.yield()
    }

    private static let cut = APIFailure(.internal, "the job's states ended before the job")
}
