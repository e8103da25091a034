// What a connection runs over: a byte stream that does not block. The sockets' is beside this file; the runner edge
// has its own (the sync preamble, the engine's multiplexed framing).

package import Posix

/// A non-blocking byte stream. Sockets carry descriptors, others do not. Lives on its loop's thread.
package protocol ByteTransport: AnyObject {
    /// Reads what is there into `buffer`, from index `offset` to its end; descriptors that came are appended to `fds`.
    /// The buffer keeps its size.
    func read(
        into buffer: inout [UInt8], at offset: Int, fds: inout FDBundle
    ) throws(PosixError) -> ReadOutcome

    /// Writes what the stream takes. `fds` ride on the first byte and stay the caller's; they are sent if any byte was.
    func write(_ bytes: ArraySlice<UInt8>, fds: [Int32]) throws(PosixError) -> WriteOutcome

    /// Begins to call `ready` when there is something to read (or the peer is gone), and, while asked for with
    /// `wantWritable`, when there is room to write.
    func start(on loop: PollLoop, _ ready: @escaping (Interest) -> Void) throws(PosixError)

    /// Asks for, or ends, notice of room to write.
    func wantWritable(_ wanted: Bool) throws(PosixError)

    /// Stops and closes; harmless the second time. `ready` is not called again.
    func close()
}
