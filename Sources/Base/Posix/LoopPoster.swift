// The one door into a loop from other threads: a list under a lock and an eventfd that wakes the loop.
import CLinux
import Synchronization

/// Hands work to the thread of a `PollLoop`. It may outlive its loop: what is posted then is never run.
package final class LoopPoster: Sendable {
    let wakeUp: FileDescriptor
    private let waiting = Mutex<[@Sendable () -> Void]>([])

    init() throws(PosixError) {
        wakeUp = FileDescriptor(owning: try PosixError.check(bh_eventfd(), "eventfd"))
    }

    /// Runs `body` on the loop's thread, in the order of posting. Callable from any thread, the loop's own included.
    package func post(_ body: @escaping @Sendable () -> Void) {
        let first = waiting.withLock { list in
            list.append(body)
            return list.count == 1
        }
        // Only the first one wakes: the loop takes all of them. The counter cannot overflow, so the write cannot fail.
        if first { bh_raise(wakeUp.raw) }
    }

    /// What was posted, in order; on the loop's thread.
    func takeAll() -> [@Sendable () -> Void] {
        bh_lower(wakeUp.raw)
        return waiting.withLock { list in
            defer { list = [] }
            return list
        }
    }
}
