// One connection's view of the runner's stdin and stdout: it begins with a sync preamble and ends with the next one.

import Link
import Posix

/// Made by RunnerDuct, one for each preamble. Once the next preamble has come it takes no part any more: what is
/// written to it is dropped, and closing it closes nothing.
final class DuctTransport: ByteTransport {
    private weak var duct: RunnerDuct?
    /// Bytes of this connection that it has not read yet.
    private var inbox: ArraySlice<UInt8> = []
    private var ready: ((Interest) -> Void)?

    init(_ duct: RunnerDuct) {
        self.duct = duct
    }

    func read(
        into buffer: inout [UInt8], at offset: Int, fds: inout FDBundle
    ) throws(PosixError) -> ReadOutcome {
        let count = min(inbox.count, buffer.count - offset)
        guard count > 0 else { return .wouldBlock }
        buffer.replaceSubrange(offset..<offset + count, with: inbox.prefix(count))
        inbox = inbox.dropFirst(count)
        return .bytes(count)
    }

    func write(_ bytes: ArraySlice<UInt8>, fds: [Int32]) throws(PosixError) -> WriteOutcome {
        guard let duct else { return .bytes(bytes.count) }
        return try duct.write(bytes)
    }

    func start(on loop: PollLoop, _ ready: @escaping (Interest) -> Void) throws(PosixError) {
        self.ready = ready
        if !inbox.isEmpty { loop.soon { [weak self] in self?.deliver() } }
    }

    func wantWritable(_ wanted: Bool) throws(PosixError) {
        try duct?.wantWritable(wanted)
    }

    func close() {
        duct?.forget(self)
        detach()
    }

    /// The connection is over; this object is inert from now on.
    func detach() {
        duct = nil
        ready = nil
        inbox = []
    }

    func receive(_ bytes: [UInt8]) {
        inbox = inbox.isEmpty ? bytes[...] : inbox + bytes
        deliver()
    }

    /// A watcher of a socket is called again while bytes are left, and reads as much as it likes each time: so here.
    private func deliver() {
        var left = inbox.count + 1
        while !inbox.isEmpty, inbox.count < left, let ready {
            left = inbox.count
            ready(.readable)
        }
    }

    func becomeWritable() {
        ready?(.writable)
    }
}
