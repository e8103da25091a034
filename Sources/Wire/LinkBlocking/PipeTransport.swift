// Two descriptors that carry bytes and nothing else: what relayd and the runner have, for tests of theirs.

import Link
package import Posix

/// Owns both ends. Descriptors cannot be sent; none can come.
package final class PipeTransport: ByteTransport {
    private var reading: FileDescriptor?
    private var writing: FileDescriptor?
    private let readRaw: Int32
    private let writeRaw: Int32
    private var loop: PollLoop?
    private var ready: ((Interest) -> Void)?

    /// Both must be non-blocking. They may be the same open file under two numbers.
    package init(reading: consuming FileDescriptor, writing: consuming FileDescriptor) {
        readRaw = reading.raw
        writeRaw = writing.raw
        self.reading = consume reading
        self.writing = consume writing
    }

    package func read(
        into buffer: inout [UInt8], at offset: Int, fds: inout FDBundle
    ) throws(PosixError) -> ReadOutcome {
        try Posix.read(readRaw, into: &buffer, at: offset)
    }

    package func write(_ bytes: ArraySlice<UInt8>, fds: [Int32]) throws(PosixError) -> WriteOutcome {
        // No caller of ours can come here with descriptors: the runner edge has none in its table.
        if !fds.isEmpty { throw .unsupported("send descriptors over a pipe") }
        return try Posix.write(writeRaw, bytes)
    }

    package func start(on loop: PollLoop, _ ready: @escaping (Interest) -> Void) throws(PosixError) {
        try loop.watch(readRaw, .readable, ready)
        self.loop = loop
        self.ready = ready
    }

    package func wantWritable(_ wanted: Bool) throws(PosixError) {
        guard let loop, let ready else { return }
        if !loop.isWatched(writeRaw) {
            if wanted { try loop.watch(writeRaw, .writable) { _ in ready(.writable) } }
            return
        }
        try loop.change(writeRaw, wanted ? .writable : [])
    }

    package func close() {
        loop?.unwatch(readRaw)
        loop?.unwatch(writeRaw)
        loop = nil
        ready = nil
        reading = nil
        writing = nil
    }
}
