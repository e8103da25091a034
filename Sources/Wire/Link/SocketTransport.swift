// A Unix stream socket, with descriptors in both directions (SCM_RIGHTS). Every edge but the runner's.

package import Posix

/// Owns the socket.
package final class SocketTransport: ByteTransport {
    private var socket: FileDescriptor?
    private let raw: Int32
    private var loop: PollLoop?

    /// The socket must be non-blocking.
    package init(_ socket: consuming FileDescriptor) {
        raw = socket.raw
        self.socket = consume socket
    }

    package func read(
        into buffer: inout [UInt8], at offset: Int, fds: inout FDBundle
    ) throws(PosixError) -> ReadOutcome {
        try Posix.receiveMessage(raw, into: &buffer, at: offset, fds: &fds)
    }

    package func write(_ bytes: ArraySlice<UInt8>, fds: [Int32]) throws(PosixError) -> WriteOutcome {
        try Posix.sendMessage(raw, bytes, fds: fds)
    }

    package func start(on loop: PollLoop, _ ready: @escaping (Interest) -> Void) throws(PosixError) {
        try loop.watch(raw, .readable, ready)
        self.loop = loop
    }

    package func wantWritable(_ wanted: Bool) throws(PosixError) {
        try loop?.change(raw, wanted ? [.readable, .writable] : .readable)
    }

    package func close() {
        loop?.unwatch(raw)
        loop = nil
        socket = nil
    }
}
