// A link to a sibling that notices when nothing comes back: a process that hangs keeps its socket, and would be `up`.

import Link
import Posix
import Wire

/// LinkClient, and since when requests wait without any answer. Lives on its loop's thread.
final class WatchedLink<Edge: WireEdge> {
    let client: LinkClient<Edge>
    private let loop: PollLoop
    private var waiting = 0
    /// Of the loop's clock. Any answer, to whatever request, is a sign of life.
    private(set) var silentSince: UInt64?

    init(loop: PollLoop, path: String, role: Role, settings: LinkSettings = LinkSettings()) {
        self.loop = loop
        client = LinkClient(loop: loop, path: path, role: role, settings: settings)
    }

    /// As `LinkClient.call`; but who has not answered in time is named.
    func call<Call: WireCall>(
        _ request: Call, deadline: Duration = .seconds(30),
        _ completion: @escaping (Result<Call.Reply, Failure>, consuming FDBundle) -> Void
    ) where Call.Edge == Edge {
        let end = begin(deadline)
        client.call(request, deadline: deadline) { [weak self] result, fds in
            completion(self?.ended(result, end) ?? result, fds)
        }
    }

    /// The same with a descriptor.
    func call<Call: WireCall>(
        _ request: Call, fd: consuming FileDescriptor, deadline: Duration = .seconds(30),
        _ completion: @escaping (Result<Call.Reply, Failure>, consuming FDBundle) -> Void
    ) where Call.Edge == Edge {
        let end = begin(deadline)
        client.call(request, fd: fd, deadline: deadline) { [weak self] result, fds in
            completion(self?.ended(result, end) ?? result, fds)
        }
    }

    /// When its deadline passes.
    private func begin(_ deadline: Duration) -> UInt64 {
        waiting += 1
        if silentSince == nil { silentSince = loop.now }
        return loop.now + UInt64(max(0, deadline.wholeMilliseconds)) * 1_000_000
    }

    private func ended<Reply>(_ result: Result<Reply, Failure>, _ end: UInt64) -> Result<Reply, Failure> {
        waiting -= 1
        // A sibling that has itself waited for somebody in vain says so before the end, and that is a sign of life.
        guard result.failure?.errorCode == .deadlineExceeded, loop.now >= end else {
            silentSince = waiting > 0 ? loop.now : nil
            return result
        }
        // Nothing came: it is as silent as before, even if nobody asks any more.
        let text = "\(Edge.server) has not answered in time; try again, and if it hangs, see its log and start it again"
        return .failure(Failure(.deadlineExceeded, text, place: "\(Edge.server)"))
    }
}
