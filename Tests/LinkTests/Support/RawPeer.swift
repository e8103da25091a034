// The other end of a connection, by hand: sends bytes and descriptors as it likes, and takes apart what comes back.

import Link
import Posix
import Wire

final class RawPeer {
    struct Received: Equatable {
        let header: FrameHeader
        let body: [UInt8]
        let fds: Int
    }

    private let socket: FileDescriptor
    private var decoder = FrameDecoder(limit: 1 << 20)
    private(set) var frames: [Received] = []
    private(set) var isEnded = false

    /// The socket must not block.
    init(_ socket: consuming FileDescriptor) {
        self.socket = socket
    }

    var raw: Int32 { socket.raw }

    /// False if the other end has closed.
    @discardableResult
    func send(_ bytes: [UInt8], fds: [Int32] = []) -> Bool {
        guard let outcome = try? Posix.sendMessage(socket.raw, bytes[...], fds: fds) else { return false }
        return outcome == .bytes(bytes.count)
    }

    @discardableResult
    func send(_ frame: RawFrame) -> Bool { send(frame.bytes, fds: frame.fds) }

    /// Reads what is there.
    func read() throws {
        while !isEnded {
            let outcome: ReadOutcome
            do {
                outcome = try decoder.fill { (buffer, offset, fds) throws(PosixError) in
                    try Posix.receiveMessage(socket.raw, into: &buffer, at: offset, fds: &fds)
                }
            } catch {
                isEnded = true
                return
            }
            if outcome == .wouldBlock { return }
            if outcome == .endOfFile { isEnded = true }
            while let frame = try decoder.next() {
                frames.append(
                    Received(header: frame.header, body: Array(decoder.buffer[frame.body]), fds: frame.fds.count))
            }
        }
    }

    /// What the Goodbye said, if there was one.
    var goodbye: ErrorCode? {
        for frame in frames where frame.header.kind == .control && frame.header.type == Goodbye.type {
            if let goodbye = try? Goodbye.decoded(frame.body) { return ErrorCode(rawValue: goodbye.code) }
        }
        return nil
    }

    func answers(_ kind: FrameKind) -> [Received] { frames.filter { $0.header.kind == kind } }
}
