// Signals arrive as descriptors in the poll loop; no code of ours ever runs in a signal handler.
import CLinux
import Glibc

/// The signals that Bulkhead sends or waits for, by their numbers.
package enum Signal {
    package static let hangup: Int32 = SIGHUP
    package static let interrupt: Int32 = SIGINT
    package static let quit: Int32 = SIGQUIT
    package static let kill: Int32 = SIGKILL
    package static let user1: Int32 = SIGUSR1
    package static let pipe: Int32 = SIGPIPE
    package static let terminate: Int32 = SIGTERM
    package static let child: Int32 = SIGCHLD
}

/// A signal that has come.
package struct ReceivedSignal {
    package let number: Int32
    /// Somebody outside of this process's pid namespace has sent it: for a container's first process, the engine.
    /// Nobody inside can make one look like that.
    package let isFromOutside: Bool
}

extension Posix {
    /// Blocks `signals` in this thread and makes a descriptor that reports them. Call it before other threads are
    /// started: one that does not block them would take them.
    package static func signalFD(_ signals: [Int32]) throws(PosixError) -> FileDescriptor {
        FileDescriptor(owning: try unsafe PosixError.check(bh_signalfd(signals, Int32(signals.count)), "signalfd"))
    }

    /// The next signal of a `signalFD`, nil if there is none.
    package static func readSignal(_ raw: Int32) throws(PosixError) -> ReceivedSignal? {
        var outside: Int32 = 0
        let signal = try unsafe PosixError.check(bh_read_signal(raw, &outside), "read a signal")
        return signal == 0 ? nil : ReceivedSignal(number: signal, isFromOutside: outside == 1)
    }

    package static func blockSignals(_ signals: [Int32]) throws(PosixError) {
        _ = try unsafe PosixError.check(bh_block_signals(signals, Int32(signals.count)), "sigmask")
    }

    /// A pipe or socket whose other end is gone gives EPIPE instead of ending the process. `PollLoop` sees to it.
    package static func ignoreBrokenPipes() throws(PosixError) {
        _ = try PosixError.check(bh_ignore_signal(SIGPIPE, 1), "sigaction")
    }
}
