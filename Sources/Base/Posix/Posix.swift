// The audited place where Bulkhead calls the operating system. Everybody calls it; it calls the C library and CLinux.
//
// Its parts: Posix+Bytes (read and write), +Files, +Directories, +Sockets, +Messages (bytes with descriptors), +Processes, +Signals,
// +Host (clocks, randomness, identity). Calls are retried on EINTR; every descriptor made here is close-on-exec.
import Glibc

/// The namespace of system calls.
package enum Posix {
    /// The most descriptors that one message may bring.
    package static let descriptorsPerMessage = 16

    /// Repeats `body` while a signal interrupts it, and throws what else goes wrong.
    @inline(__always)
    static func retry<Count: SignedInteger>(
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

    /// The error of the call that has just failed.
    static func last(_ call: String) -> PosixError {
        .system(call: call, errno: errno)
    }

    /// A NUL in a path would cut it short behind our checks.
    static func checked(_ path: String) throws(PosixError) -> String {
        if path.isEmpty || path.utf8.contains(0) { throw .badPath(path) }
        return path
    }
}
