// SchedulerBridge: apid's link to schedulerd. Descriptors do not travel through NIO, so the link lives on Link's poll
// loop (apid's main thread), and every call is bridged to async. apid knows nobody's rights: tokens pass through.

import Daemon
import Link
import Posix
import Wire

/// Calls to schedulerd from any task.
final class SchedulerBridge: Sendable {
    /// Touched on the loop's thread only, which is what makes it safe to share.
    private final class Confined: @unchecked Sendable {
        let loop: PollLoop
        let client: LinkClient<SchedulerEdge>
        let watches: JobWatches

        init(loop: PollLoop, client: LinkClient<SchedulerEdge>, watches: JobWatches) {
            self.loop = loop
            self.client = client
            self.watches = watches
        }
    }

    private let confined: Confined
    private let poster: LoopPoster

    /// `path`: schedulerd's socket. `followers`: jobs that are followed at the same time, at most. Whoever runs `loop`
    /// drives the link.
    init(path: String, followers: Int, log: Log) throws {
        let loop = try PollLoop()
        // As many calls as can be in flight may wait; one more fails with `limit_reached` at once.
        let settings = LinkSettings(window: 1_024, waitingLimit: 1_024)
        let client = LinkClient<SchedulerEdge>(loop: loop, path: path, role: .apid, settings: settings)
        let watches = JobWatches(client: client, limit: followers)
        client.onUp = { [weak watches] in
            log.info("schedulerd is reached")
            watches?.openAll()
        }
        client.onDown = { log.warning("schedulerd is away", ["reason": $0.text]) }
        client.onRefused = { log.error("schedulerd refuses us", ["code": $0.errorCode.name, "reason": $0.text]) }
        client.start()
        confined = Confined(loop: loop, client: client, watches: watches)
        poster = loop.poster
    }

    /// For the thread that runs it.
    var loop: PollLoop { confined.loop }

    /// Makes the one who runs the loop return from it. From any thread.
    func wake() {
        poster.post { [confined] in confined.loop.stop() }
    }

    /// One request and its answer.
    func call<Call: WireCall>(
        _ request: Call, deadline: Duration = .seconds(30)
    ) async throws(APIFailure) -> Call.Reply where Call.Edge == SchedulerEdge {
        try await callWithDescriptor(request, deadline: deadline).reply
    }

    /// One request that a file goes along with.
    func call<Call: WireCall>(
        _ request: Call, with file: MemoryFile, deadline: Duration = .seconds(30)
    ) async throws(APIFailure) -> Call.Reply where Call.Edge == SchedulerEdge {
        let result: Result<Call.Reply, Failure> = await withCheckedContinuation { continuation in
            poster.post { [confined] in
                do {
                    confined.client.call(request, fd: try file.reader(), deadline: deadline) { result, _ in
                        continuation.resume(returning: result)
                    }
                } catch {
                    let failure = Failure(.limitReached, "the body cannot be handed on: \(error)", place: "body")
                    continuation.resume(returning: .failure(failure))
                }
            }
        }
        do { return try result.get() } catch { throw APIFailure(error) }
    }

    /// One request whose answer brings a descriptor along.
    func callWithDescriptor<Call: WireCall>(
        _ request: Call, deadline: Duration = .seconds(30)
    ) async throws(APIFailure) -> (reply: Call.Reply, descriptor: SharedDescriptor?) where Call.Edge == SchedulerEdge {
        let result: Result<(Call.Reply, SharedDescriptor?), Failure> = await withCheckedContinuation { continuation in
            poster.post { [confined] in
                confined.client.call(request, deadline: deadline) { result, descriptors in
                    let first = SharedDescriptor(firstOf: descriptors)
                    continuation.resume(returning: result.map { ($0, first) })
                }
            }
        }
        switch result {
        case .success(let answer): return (answer.0, answer.1)
        case .failure(let failure): throw APIFailure(failure)
        }
    }

    /// The items of a stream that ends by itself, and soon: whoever stops reading lets it run out.
    func stream<Stream: WireStream>(
        _ request: Stream
    ) -> AsyncThrowingStream<Stream.Item, any Error> where Stream.Edge == SchedulerEdge {
        let (stream, continuation) = AsyncThrowingStream.makeStream(of: Stream.Item.self)
        poster.post { [confined] in
            confined.client.open(
                request, onItem: { continuation.yield($0) },
                onEnd: { failure in continuation.finish(throwing: failure.map { APIFailure($0) }) })
        }
        return stream
    }

    /// A job's states as they change, the present one first; ends after the final one. Goes on when schedulerd comes
    /// back.
    func watch(job: UInt64, token: String) -> AsyncThrowingStream<SchedulerEdge.WatchJob.Item, any Error> {
        let (stream, continuation) = AsyncThrowingStream.makeStream(of: SchedulerEdge.WatchJob.Item.self)
        let request = SchedulerEdge.WatchJob(token: token, job: job)
        let follower = JobWatches.Follower(request: request, continuation: continuation)
        continuation.onTermination = { [confined, poster] _ in
            poster.post { confined.watches.remove(follower) }
        }
        poster.post { [confined] in confined.watches.add(follower) }
        return stream
    }
}
