// WebhookRoom: bodies of webhooks on their way. Strangers send them before anybody knows who they are, so all of them
// together have a bound, and each lies in memory once.

import Files
import Hummingbird
import Posix
import Synchronization
import Wire

final class WebhookRoom: Sendable {
    private let bytes: Int
    private let taken = Mutex(0)

    /// `bytes`: of all bodies that are being received or handed on.
    init(bytes: Int) { self.bytes = bytes }

    /// The body in a file without a name, open for reading from its beginning. Throws `disconnected` (503, with
    /// Retry-After) when there is no room.
    func receive(_ body: RequestBody) async throws -> SharedDescriptor {
        var held = 0
        defer { taken.withLock { $0 -= held } }
        let file = SharedDescriptor(try Posix.memoryFile("webhook"))
        for try await buffer in body {
            let size = buffer.readableBytes
            let fits = taken.withLock { taken in
                guard taken + size <= bytes else { return false }
                taken += size
                return true
            }
            guard fits else { throw full }
            held += size
            try Posix.writeAll(file.raw, ArraySlice(buffer.readableBytesView))
        }
        // A description of its own: from the beginning, and without the right to write.
        return SharedDescriptor(try Posix.open("/proc/self/fd/\(file.raw)", [.readOnly]))
    }

    private var full: APIFailure {
        var failure = APIFailure(.shuttingDown, "too many webhooks at once; send it again", place: "body")
        failure.retryAfter = 2
        return failure
    }
}
