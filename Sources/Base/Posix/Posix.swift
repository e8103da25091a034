// The audited place where Bulkhead calls the operating system. Everybody calls it; it calls the C library and CLinux.
//
// Its parts here: Posix+Bytes (read and write), +Sockets, +Messages (bytes with descriptors), +Signals, +Host (clocks,
// randomness, identity). The modules Files, Processes and Endpoints add what a process that guards something does
// without. Calls are retried on EINTR; every descriptor made here is close-on-exec.
import Glibc

/// The namespace of system calls.
package enum Posix {
    /// The most descriptors that one message may bring.
    package static let descriptorsPerMessage = 16

    /// Repeats `body` while a signal interrupts it, and throws what else goes wrong.
    @inline(__always)
    package static func retry<Count: SignedInteger>(
        _ call: @autoclosure () -> String, _ body: () -> Count
    ) throws(PosixError) -> Count {
        while true {
            let result = body()
            if result >= 0 { return result }
            let error = errno
            if error == EINTR { continue }
            throw .system(call: call(), errno: error)
        }
    }

    /// A NUL in a path would cut it short behind our checks.
    package static func checked(_ path: String) throws(PosixError) -> String {
        if path.isEmpty || path.utf8.contains(0) { throw .badPath(path) }
        return path
    }
}
