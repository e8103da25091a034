// The container's side of the attach stream, as the engine makes it: what the runner writes goes out in the engine's
// frames, what comes in is as relayd wrote it.

import Link
import Posix

/// Answers the preamble, then carries frames. `onEnd`: relayd has closed the stream.
final class FramedTransport: ByteTransport {
    static let magic = Array("BULKHEAD-SYNC-1\n".utf8)

    private let raw: Int32
    private var socket: FileDescriptor?
    private let loop: PollLoop
    private let framed: Bool
    private var out: [UInt8] = []
    private var heard: [UInt8] = []
    private var isSynced = false
    private var ready: ((Interest) -> Void)?
    private var wantsWritable = false
    /// Called when the preamble has come; nil stands for "do not answer".
    private let onSync: (FramedTransport, [UInt8]) -> Void
    private(set) var isEnded = false

    init(
        _ loop: PollLoop, _ socket: consuming FileDescriptor, framed: Bool,
        onSync: @escaping (FramedTransport, [UInt8]) -> Void
    ) throws {
        self.loop = loop
        self.framed = framed
        self.onSync = onSync
        raw = socket.raw
        self.socket = consume socket
        try loop.watch(raw, [.readable, .writable]) { [weak self] interest in self?.handle(interest) }
    }

    /// Bytes of the container's standard output, or error.
    func say(_ bytes: [UInt8], stream: UInt8 = 1) {
        if framed {
            let count = bytes.count
            out += [stream, 0, 0, 0, UInt8(count >> 24 & 255), UInt8(count >> 16 & 255)]
            out += [UInt8(count >> 8 & 255), UInt8(count & 255)]
        }
        out += bytes
        flush()
    }

    /// Bytes as they are, past the engine's frames.
    func sayRaw(_ bytes: [UInt8]) {
        out += bytes
        flush()
    }

    private func flush() {
        guard socket != nil else { return }
        while !out.isEmpty, case .bytes(let count)? = try? Posix.write(raw, out) { out.removeFirst(count) }
        try? loop.change(raw, wantsWritable || !out.isEmpty ? [.readable, .writable] : .readable)
    }

    private func handle(_ interest: Interest) {
        if interest.contains(.writable) { flush() }
        if isSynced, let ready {
            ready(interest)
        } else {
            var buffer = [UInt8](repeating: 0, count: 4096)
            switch try? Posix.read(raw, into: &buffer) {
            case .bytes(let count): heard += buffer[..<count]
            case .wouldBlock: return
            case .endOfFile, nil: return close()
            }
            // Before a preamble after the first lies what the connection before it was told.
            guard let start = heard.firstRange(of: Self.magic)?.lowerBound, heard.count >= start + 48 else { return }
            isSynced = true
            onSync(self, Array(heard[start..<start + 48]))
        }
    }

    /// Says a last frame in the connection's place and waits for the next preamble, as a runner does.
    func dismiss(_ frame: [UInt8]) {
        say(frame)
        isSynced = false
        heard = []
    }

    func read(into buffer: inout [UInt8], at offset: Int, fds: inout FDBundle) throws(PosixError) -> ReadOutcome {
        try Posix.read(raw, into: &buffer, at: offset)
    }

    func write(_ bytes: ArraySlice<UInt8>, fds: [Int32]) throws(PosixError) -> WriteOutcome {
        guard out.isEmpty else { return .wouldBlock }
        let part = Array(bytes.prefix(32 << 10))
        say(part)
        return .bytes(part.count)
    }

    func start(on loop: PollLoop, _ ready: @escaping (Interest) -> Void) throws(PosixError) {
        self.ready = ready
    }

    func wantWritable(_ wanted: Bool) throws(PosixError) {
        wantsWritable = wanted
        flush()
    }

    func close() {
        guard socket != nil else { return }
        isEnded = true
        loop.unwatch(raw)
        ready = nil
        socket = nil
    }
}
