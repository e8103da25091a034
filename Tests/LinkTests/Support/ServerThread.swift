// A server on a thread of its own, for clients that block.

import Endpoints
import Foundation
import Link
import Posix
import Wire

/// Serves the spawner edge at `path`; the result ends it.
func serveInAThread(_ path: String) throws -> @Sendable () -> Void {
    let listener = try Posix.listenUnix(path, mode: 0o600).release()
    let started = DispatchSemaphore(value: 0)
    let ended = DispatchSemaphore(value: 0)
    let box = PosterBox()
    Thread.detachNewThread {
        defer { ended.signal() }
        guard let loop = try? PollLoop() else {
            started.signal()
            return
        }
        box.stop = { [poster = loop.poster] in
            poster.post { box.ending?() }
        }
        box.ending = { loop.stop() }
        let server = try? LinkServer<SpawnerEdge>(
            loop: loop, listener: FileDescriptor(owning: listener), peerUID: Posix.userID,
            handlers: SpawnerEdge.handlers(Seen()))
        started.signal()
        loop.run()
        server?.close()
    }
    started.wait()
    return {
        box.stop?()
        ended.wait()
    }
}

/// Written before `started` is signalled, read after.
private final class PosterBox: @unchecked Sendable {
    var stop: (@Sendable () -> Void)?
    var ending: (() -> Void)?
}
