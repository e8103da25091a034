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

    /// The body in a file without a name. Throws `disconnected` (503, with
    /// Retry-After) when there is no room.
    func receive(_ body: RequestBody) async throws -> MemoryFile {
        var held = 0
        defer { taken.withLock { $0 -= held } }
        let file = MemoryFile(try Posix.memoryFile("webhook"))
        for try await buffer in body {
            let size = buffer.readableBytes
            let fits = taken.withLock { taken in
                guard taken + size <= bytes else { return false }
                taken += size
                return true
            }
            guard fits else { throw full }
            held += size
            try file.append(ArraySlice(buffer.readableBytesView))
        }
        return file
    }

    private var full: APIFailure {
        var failure = APIFailure(.shuttingDown, "too many webhooks at once; send it again", place: "body")
        failure.retryAfter = 2
        return failure
    }
}

/// A file in memory, which is gone with its last holder.
final class MemoryFile: Sendable {
    private let descriptor: FileDescriptor

    init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }

    func append(_ bytes: ArraySlice<UInt8>) throws { try Posix.writeAll(descriptor.raw, bytes) }

    /// Opened anew: from its beginning, and without the right to write.
    func reader() throws -> FileDescriptor { try Posix.open("/proc/self/fd/\(descriptor.raw)", [.readOnly]) }
}
