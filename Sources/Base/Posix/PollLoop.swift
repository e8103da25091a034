// The heart of every daemon but apid: one thread, one epoll descriptor, one pass after another. Link, Runtime and the
// daemons' own services hang their descriptors, timers and commit points here.
//
// A pass is: wait - handlers of what is ready - timers that are due - `soon` work - `beforeWait` hooks. Handlers never
// wait.
import CLinux
import Glibc

/// An event loop of one thread: level-triggered readiness, monotonic timers, work posted from other threads.
package final class PollLoop {
    // One per descriptor number. The generation goes to the kernel with it, so that an event which was fetched for a
    // descriptor that has been given up meanwhile (and whose number somebody else has now) is known to be stale.
    struct Slot {
        var generation: UInt32 = 0
        var interest: Interest = []
        var registered = false
        var handler: ((Interest) -> Void)?
    }

    /// Hands work to this loop from any thread.
    package let poster: LoopPoster
    let epoll: FileDescriptor
    var slots: [Slot] = []
    var timers = TimerQueue()
    private let clock: () -> UInt64
    private var later: [() -> Void] = []
    private var hooks: [() -> Void] = []
    private var stopped = false
    private var keys = [UInt64](repeating: 0, count: 256)
    private var events = [UInt32](repeating: 0, count: 256)
    private var signals = FDBundle()

    /// `clock`: what the loop takes for the time, in monotonic nanoseconds. A simulation brings its own, and runs
    /// passes that do not wait (`runPass`); `run` is for a clock that goes on by itself.
    package init(clock: @escaping () -> UInt64 = Posix.monotonicNow) throws(PosixError) {
        self.clock = clock
        try Posix.ignoreBrokenPipes()
        epoll = FileDescriptor(owning: try PosixError.check(bh_epoll_create(), "epoll_create"))
        poster = try LoopPoster()
        let poster = poster
        try watch(poster.wakeUp.raw, .readable) { _ in
            for body in poster.takeAll() { body() }
        }
    }

    /// The time that timers go by: deadlines of whatever hangs on this loop are set and judged by it.
    package var now: UInt64 { clock() }

    /// When the first timer is due; nil: there is none.
    package var nextDeadline: UInt64? { timers.nextDeadline() }

    /// Runs `body` after `delay` (at once if it is not positive), on this thread.
    @discardableResult
    package func after(_ delay: Duration, _ body: @escaping () -> Void) -> TimerID {
        timers.add(deadline: now &+ delay.wholeNanoseconds, body)
    }

    /// A timer that has fired or was cancelled is ignored.
    package func cancel(_ timer: TimerID) {
        timers.cancel(timer)
    }

    /// Runs `body` later in this pass, before waiting. Work that it adds in turn runs in this pass, too.
    package func soon(_ body: @escaping () -> Void) {
        later.append(body)
    }

    /// Adds a hook that runs once per pass, after all handlers, timers and `soon` work, before waiting: the commit
    /// point. What hooks hand to `soon` runs at the start of the next pass, which follows without waiting.
    package func beforeWait(_ body: @escaping () -> Void) {
        hooks.append(body)
    }

    /// Calls `handler` on this thread for each of `numbers`. They are blocked in the calling thread from now on; call
    /// it before other threads are started.
    package func onSignals(_ numbers: [Int32], _ handler: @escaping (ReceivedSignal) -> Void) throws(PosixError) {
        let descriptor = try Posix.signalFD(numbers)
        let raw = descriptor.raw
        signals.append(descriptor)
        try watch(raw, .readable) { _ in
            while let signal = try? Posix.readSignal(raw) { handler(signal) }
        }
    }

    /// Runs passes until `stop`. What was put to `soon` before is run, and the hooks, before the first wait.
    package func run() {
        stopped = false
        finishPass()
        while !stopped { pass(timeout: timeout()) }
    }

    /// Ends `run` after the pass that is under way, hooks included.
    package func stop() {
        stopped = true
    }

    /// One pass that waits at most `maximum`: for tests, and for callers that have a loop of their own.
    package func runPass(waiting maximum: Duration = .zero) {
        let limit = Int32(clamping: (maximum.wholeNanoseconds &+ 999_999) / 1_000_000)
        let own = timeout()
        pass(timeout: own < 0 ? limit : min(own, limit))
    }

    private func pass(timeout: Int32) {
        let count = unsafe bh_epoll_wait(epoll.raw, &keys, &events, Int32(keys.count), timeout)
        if count > 0 {
            for index in 0..<Int(count) { dispatch(keys[index], events[index]) }
        }
        if !timers.isEmpty { runTimers() }
        finishPass()
    }

    /// Milliseconds to wait, -1 for ever.
    private func timeout() -> Int32 {
        if !later.isEmpty { return 0 }
        if timers.isEmpty { return -1 }
        guard let deadline = timers.nextDeadline() else { return -1 }
        let now = now
        // Rounded up: a timer never fires early, and the loop does not spin through the last millisecond.
        return deadline <= now ? 0 : Int32(clamping: (deadline - now + 999_999) / 1_000_000)
    }

    private func runTimers() {
        // Those that are due now; one that they set for at once waits for the next pass, so that descriptors get their
        // turn.
        let now = now
        while let body = timers.takeDue(now) { body() }
    }

    private func finishPass() {
        while !later.isEmpty {
            let batch = later
            later = []
            for body in batch { body() }
        }
        for hook in hooks { hook() }
    }
}

extension Duration {
    /// Nanoseconds; nothing below zero, and at most about a century.
    var wholeNanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        if seconds < 0 || attoseconds < 0 { return 0 }
        return UInt64(min(seconds, 3_000_000_000)) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
    }
}
