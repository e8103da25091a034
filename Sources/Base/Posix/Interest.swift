// What a watcher of a descriptor wants to be told, and is told.

/// Readiness of a descriptor.
package struct Interest: OptionSet, Sendable {
    package let rawValue: UInt32

    @inlinable
    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    // The kernel's own bits (EPOLLIN, EPOLLOUT, EPOLLRDHUP), so that nothing is translated per event.
    package static let readable = Interest(rawValue: 0x001)
    package static let writable = Interest(rawValue: 0x004)
    /// The peer is gone or will write no more. It comes with errors and full hang-ups too, asked for or not.
    package static let hangup = Interest(rawValue: 0x2000)

    /// EPOLLERR and EPOLLHUP, which the kernel reports unasked.
    private static let broken: UInt32 = 0x008 | 0x010

    /// What to tell a watcher that asked for `self`. A broken descriptor counts as readable and writable: the read or
    /// the write that follows says what is wrong, and a watcher that only knows one of the two cannot miss it.
    @inline(__always)
    func told(of events: UInt32) -> Interest {
        if events & Interest.broken == 0 { return Interest(rawValue: events & (rawValue | Interest.hangup.rawValue)) }
        return union(.hangup)
    }
}
