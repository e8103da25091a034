// SchedulerBridge: apid's link to schedulerd. Descriptors do not travel through NIO, so the link lives on a thread of its own
// with Link's poll loop, and every call is bridged to async. apid knows nobody's rights: tokens pass through.

import Daemon
import Link
import Posix
import Synchronization
import Wire

/// Calls to schedulerd from any task.
package final class SchedulerBridge: Sendable {
    /// Touched on the loop's thread only, which is what makes it safe to share.
    private final class Confined: @unchecked Sendable {
        let loop: PollLoop
        let client: LinkClient<SchedulerEdge>

        init(loop: PollLoop, client: LinkClient<SchedulerEdge>) {
            self.loop = loop
            self.client = client
        }
    }

    private let confined: Confined
    private let poster: LoopPoster

    /// `path`: schedulerd's socket. The thread runs until `stop`.
    package init(path: String, log: Log) throws {
        let loop = try PollLoop()
        let client = LinkClient<SchedulerEdge>(loop: loop, path: path, role: .apid)
        client.onUp = { log.info("schedulerd is reached") }
        client.onDown = { log.warning("schedulerd is away", ["reason": $0.text]) }
        confined = Confined(loop: loop, client: client)
        poster = loop.poster
    }

    /// The body of the link's thread; returns after `stop`.
    package func run() {
        confined.client.start()
        confined.loop.run()
    }

    package func stop() {
        poster.post { [confined] in confined.loop.stop() }
    }

    /// One request and its answer.
    func call<Call: WireCall>(_ request: Call) async throws(APIFailure) -> Call.Reply where Call.Edge == SchedulerEdge {
        try await callWithDescriptor(request).reply
    }

    /// One request whose answer brings a descriptor along.
    func callWithDescriptor<Call: WireCall>(
        _ request: Call
    ) async throws(APIFailure) -> (reply: Call.Reply, descriptor: SharedDescriptor?) where Call.Edge == SchedulerEdge {
        let result: Result<(Call.Reply, SharedDescriptor?), Failure> = await withCheckedContinuation { continuation in
            poster.post { [confined] in
                confined.client.call(request) { result, descriptors in
                    var descriptors = descriptors
                    let first = descriptors.takeFirst().map { SharedDescriptor($0) }
                    continuation.resume(returning: result.map { ($0, first) })
                }
            }
        }
        switch result {
        case .success(let answer): return answer
        case .failure(let failure): throw APIFailure(failure)
        }
    }

    /// A job's states as they change; ends after the final one.
    func watch(job: UInt64, token: String) -> AsyncThrowingStream<SchedulerEdge.WatchJob.Item, any Error> {
        AsyncThrowingStream { continuation in
            poster.post { [confined] in
                confined.client.open(
                    SchedulerEdge.WatchJob(token: token, job: job), onItem: { continuation.yield($0) },
                    onEnd: { failure in continuation.finish(throwing: failure.map(APIFailure.init)) })
            }
        }
    }
}

/// A descriptor that several tasks may hold; closed with the last of them.
final class SharedDescriptor: Sendable {
    private let descriptor: FileDescriptor

    init(_ descriptor: consuming FileDescriptor) {
        self.descriptor = descriptor
    }

    var raw: Int32 { descriptor.raw }
}
