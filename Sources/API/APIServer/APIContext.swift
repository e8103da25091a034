// APIContext: what Hummingbird hands from the connection to a route.

import Hummingbird
import NIOCore

/// The context of one request.
struct APIContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    private let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
    }

    /// False once nobody can read the answer any more. A follower that only waits would never find out by writing.
    var isConnected: Bool { channel.isActive }

    /// Waits on the connection's own thread: that costs one wake-up, and `Task.sleep` four.
    func pause(for duration: Duration) async throws {
        try await channel.eventLoop.scheduleTask(in: TimeAmount(duration)) {}.futureResult.get()
    }
}
