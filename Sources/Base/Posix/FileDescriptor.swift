// Ownership of a descriptor: who holds the value closes it, once. A raw number is only ever lent.
import Glibc

/// An open file descriptor. It is closed when the value ends.
package struct FileDescriptor: ~Copyable, Sendable {
    /// The number, for calls that borrow it. It is valid while this value lives.
    package let raw: Int32

    /// Takes ownership of an open descriptor.
    package init(owning raw: Int32) {
        self.raw = raw
    }

    /// Gives the number up without closing it: the caller owns it now.
    package consuming func release() -> Int32 {
        let number = raw
        discard self
        return number
    }

    /// Closes now rather than at the end of the scope.
    package consuming func close() {}

    /// A second descriptor of the same open file, close-on-exec.
    package borrowing func duplicate() throws(PosixError) -> FileDescriptor {
        try Posix.duplicate(raw)
    }

    deinit {
        // Never retried: on Linux the number is free again even after EINTR, and may be somebody else's by now.
        _ = Glibc.close(raw)
    }
}
