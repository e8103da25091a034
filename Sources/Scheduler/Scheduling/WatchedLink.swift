// A link to a sibling that notices when nothing comes back: a process that hangs keeps its socket, and would be `up`.

import Link
import Posix
package import Wire

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

    /// As `LinkClient.call`.
    func call<Call: WireCall>(
        _ request: Call, deadline: Duration = .seconds(30),
        _ completion: @escaping (Result<Call.Reply, Failure>, consuming FDBundle) -> Void
    ) where Call.Edge == Edge {
        begins()
        client.call(request, deadline: deadline) { [weak self] result, fds in
            self?.hasEnded(result.failure)
            completion(result, fds)
        }
    }

    /// The same with a descriptor.
    func call<Call: WireCall>(
        _ request: Call, fd: consuming FileDescriptor, deadline: Duration = .seconds(30),
        _ completion: @escaping (Result<Call.Reply, Failure>, consuming FDBundle) -> Void
    ) where Call.Edge == Edge {
        begins()
        client.call(request, fd: fd, deadline: deadline) { [weak self] result, fds in
            self?.hasEnded(result.failure)
            completion(result, fds)
        }
    }

    private func begins() {
        waiting += 1
        if silentSince == nil { silentSince = loop.now }
    }

    private func hasEnded(_ failure: Failure?) {
        waiting -= 1
        // Nothing came: it is as silent as before, even if nobody asks any more.
        if failure?.isNoAnswer == true { return }
        silentSince = waiting > 0 ? loop.now : nil
    }
}

extension Failure {
    /// Link's own word, and not that of a peer that has waited for somebody else.
    package var isNoAnswer: Bool { errorCode == .deadlineExceeded && text == "no answer in time" }
}
