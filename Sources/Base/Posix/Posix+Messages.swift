// Bytes with descriptors over Unix stream sockets, and who is at the other end. Link frames them.
import CLinux
import Glibc

/// Who connected, as the kernel saw it at that moment (SO_PEERCRED).
package struct PeerCredentials: Equatable, Sendable {
    package let pid: Int32
    package let uid: UInt32
    package let gid: UInt32
}

extension Posix {
    /// Sends what the socket takes. `fds` (at most `descriptorsPerMessage`) ride on the first byte, so `bytes` must not
    /// be empty when there are any; after `.bytes(n)` they are sent, whatever `n`. They stay open here.
    package static func sendMessage(
        _ raw: Int32, _ bytes: ArraySlice<UInt8>, fds: [Int32] = []
    ) throws(PosixError) -> WriteOutcome {
        let sent = unsafe bytes.withUnsafeBufferPointer { part in
            unsafe bh_send(raw, part.baseAddress, part.count, fds, Int32(fds.count))
        }
        if sent >= 0 { return .bytes(sent) }
        if sent == -Int(EAGAIN) { return .wouldBlock }
        throw .system(call: "send", errno: Int32(-sent))
    }

    /// Receives into `buffer` from index `offset` on, up to its end; what came with the bytes is appended to `fds`,
    /// close-on-exec.
    ///
    /// The kernel hands out one sender's call after another and stops behind the one that brought descriptors: they
    /// belong to the *last* of the calls in these bytes. More than fit: all that came are closed and
    /// `.truncatedDescriptors` is thrown.
    package static func receiveMessage(
        _ raw: Int32, into buffer: inout [UInt8], at offset: Int = 0, fds: inout FDBundle
    ) throws(PosixError) -> ReadOutcome {
        var received = Received()
        let count = unsafe buffer.withUnsafeMutableBufferPointer { room in
            unsafe received.call(raw, UnsafeMutableBufferPointer(rebasing: room[offset...]))
        }
        if received.count > 0 || received.truncated != 0 { try received.hand(to: &fds) }
        if count > 0 { return .bytes(count) }
        if count == 0 { return .endOfFile }
        if count == -Int(EAGAIN) { return .wouldBlock }
        throw .system(call: "receive", errno: Int32(-count))
    }

    /// The process that connected to this socket.
    package static func peerCredentials(_ raw: Int32) throws(PosixError) -> PeerCredentials {
        var (pid, uid, gid): (Int32, UInt32, UInt32) = (0, 0, 0)
        _ = try unsafe PosixError.check(bh_peer_credentials(raw, &pid, &uid, &gid), "peer credentials")
        return PeerCredentials(pid: pid, uid: uid, gid: gid)
    }
}

/// The descriptors of one message, on the stack: the usual message has none, and must not cost an allocation.
private struct Received {
    private var numbers: InlineArray<16, Int32> = .init(repeating: -1)
    private(set) var count: Int32 = 0
    private(set) var truncated: Int32 = 0

    mutating func call(_ raw: Int32, _ room: UnsafeMutableBufferPointer<UInt8>) -> Int {
        var (arrived, cut): (Int32, Int32) = (0, 0)
        var span = numbers.mutableSpan
        let received = unsafe span.withUnsafeMutableBufferPointer { fds in
            unsafe bh_receive(raw, room.baseAddress, room.count, fds.baseAddress, Int32(fds.count), &arrived, &cut)
        }
        (count, truncated) = (arrived, cut)
        return received
    }

    func hand(to fds: inout FDBundle) throws(PosixError) {
        if truncated != 0 {
            for index in 0..<Int(count) { _ = Glibc.close(numbers[index]) }
            throw .truncatedDescriptors
        }
        for index in 0..<Int(count) { fds.appendOwned(numbers[index]) }
    }
}
