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

    /// The body in a file without a name, which has its room until it is gone. Throws `shutting_down` (503, with
    /// Retry-After) when there is none.
    func receive(_ body: RequestBody) async throws -> MemoryFile {
        let file = MemoryFile(try Posix.memoryFile("webhook"), in: self)
        for try await buffer in body {
            guard take(buffer.readableBytes) else { throw full }
            try file.append(ArraySlice(buffer.readableBytesView))
        }
        return file
    }

    private func take(_ size: Int) -> Bool {
        taken.withLock { taken in
            guard taken + size <= bytes else { return false }
            taken += size
            return true
        }
    }

    fileprivate func giveBack(_ size: Int) { taken.withLock { $0 -= size } }

    private var full: APIFailure {
        var failure = APIFailure(.shuttingDown, "too many webhooks at once; send it again", place: "body")
        failure.retryAfter = 2
        return failure
    }
}

/// A file in memory, which is gone with its last holder.
final class MemoryFile: Sendable {
    private let descriptor: FileDescriptor
    private let room: WebhookRoom
    private let size = Mutex(0)

    fileprivate init(_ descriptor: consuming FileDescriptor, in room: WebhookRoom) {
        self.descriptor = descriptor
        self.room = room
    }

    deinit { room.giveBack(size.withLock { $0 }) }

    /// For these the room was taken.
    fileprivate func append(_ bytes: ArraySlice<UInt8>) throws {
        size.withLock { $0 += bytes.count }
        try Posix.writeAll(descriptor.raw, bytes)
    }

    /// Opened anew: from its beginning, and without the right to write.
    func reader() throws -> FileDescriptor { try Posix.open("/proc/self/fd/\(descriptor.raw)", [.readOnly]) }
}
