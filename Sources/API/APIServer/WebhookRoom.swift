// WebhookRoom: webhooks on their way. Strangers send them before anybody knows who they are, so all of them together
// have a bound, and each lies in memory once. The project that an address names has a share: a storm of one leaves room
// for the others. Nobody here can tell whether there is such a project, or who sends; a stranger can use up the share
// of a project whose name it knows, as long as it goes on sending.

import Files
import Hummingbird
import Posix
import Synchronization
import Wire

final class WebhookRoom: Sendable {
    fileprivate struct Taken {
        var bytes: Share
        var deliveries: Share
    }

    fileprivate let taken: Mutex<Taken>

    /// `bytes`: of all bodies that are being received or handed on. `deliveries`: that are handed on at once.
    init(bytes: Int, deliveries: Int) {
        taken = Mutex(Taken(bytes: Share(of: bytes), deliveries: Share(of: deliveries)))
    }

    /// The body in a file without a name, which has its room, and its place among those that are handed on, until it is
    /// gone. Throws `limit_reached` (429) or `shutting_down` (503), both with Retry-After, when there is none.
    func receive(_ body: RequestBody, for project: String) async throws -> MemoryFile {
        let file = MemoryFile(try Posix.memoryFile("webhook"), in: self, of: project)
        for try await buffer in body { try file.append(ArraySlice(buffer.readableBytesView)) }
        // Only now: one that comes slowly is in nobody's way.
        try file.handOn()
        return file
    }

    fileprivate static func refusal(_ lack: Share.Lack) -> APIFailure {
        var failure =
            switch lack {
            case .own: APIFailure(.limitReached, "too many webhooks for this project at once; send it again")
            case .all: APIFailure(.shuttingDown, "too many webhooks at once; send it again")
            }
        failure.retryAfter = 2
        return failure
    }
}

/// A file in memory, which is gone with its last holder.
final class MemoryFile: Sendable {
    private let descriptor: FileDescriptor
    private let room: WebhookRoom
    private let project: String
    private let held = Mutex((bytes: 0, deliveries: 0))

    fileprivate init(_ descriptor: consuming FileDescriptor, in room: WebhookRoom, of project: String) {
        self.descriptor = descriptor
        self.room = room
        self.project = project
    }

    deinit {
        let held = held.withLock { $0 }
        room.taken.withLock {
            $0.bytes.giveBack(held.bytes, of: project)
            $0.deliveries.giveBack(held.deliveries, of: project)
        }
    }

    fileprivate func append(_ bytes: ArraySlice<UInt8>) throws {
        if let lack = room.taken.withLock({ $0.bytes.take(bytes.count, for: project) }) {
            throw WebhookRoom.refusal(lack)
        }
        held.withLock { $0.bytes += bytes.count }
        try Posix.writeAll(descriptor.raw, bytes)
    }

    fileprivate func handOn() throws {
        if let lack = room.taken.withLock({ $0.deliveries.take(1, for: project) }) {
            throw WebhookRoom.refusal(lack)
        }
        held.withLock { $0.deliveries = 1 }
    }

    /// Opened anew: from its beginning, and without the right to write.
    func reader() throws -> FileDescriptor { try Posix.open("/proc/self/fd/\(descriptor.raw)", [.readOnly]) }
}
