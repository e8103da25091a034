// Reading and writing bytes. Non-blocking descriptors answer `.wouldBlock`; blocking ones wait.
import Glibc

extension Posix {
    /// Reads up to `room.count` bytes.
    package static func read(_ raw: Int32, into room: UnsafeMutableRawBufferPointer) throws(PosixError) -> ReadOutcome {
        while true {
            let count = unsafe Glibc.read(raw, room.baseAddress, room.count)
            if count > 0 { return .bytes(count) }
            if count == 0 { return .endOfFile }
            let error = errno
            if error == EAGAIN { return .wouldBlock }
            if error != EINTR { throw .system(call: "read", errno: error) }
        }
    }

    /// Reads into `buffer` from index `offset` on, up to its end; the buffer keeps its size.
    package static func read(
        _ raw: Int32, into buffer: inout [UInt8], at offset: Int = 0
    ) throws(PosixError) -> ReadOutcome {
        try unsafe buffer.withUnsafeMutableBufferPointer { (bytes) throws(PosixError) in
            let room = unsafe UnsafeMutableBufferPointer(rebasing: bytes[offset...])
            return try unsafe read(raw, into: UnsafeMutableRawBufferPointer(room))
        }
    }

    /// Writes what the descriptor takes. A pipe without a reader throws EPIPE (SIGPIPE is ignored:
    /// `ignoreBrokenPipes`).
    package static func write(_ raw: Int32, _ bytes: ArraySlice<UInt8>) throws(PosixError) -> WriteOutcome {
        while true {
            let count = unsafe bytes.withUnsafeBufferPointer { unsafe Glibc.write(raw, $0.baseAddress, $0.count) }
            if count >= 0 { return .bytes(count) }
            let error = errno
            if error == EAGAIN { return .wouldBlock }
            if error != EINTR { throw .system(call: "write", errno: error) }
        }
    }

    package static func write(_ raw: Int32, _ bytes: [UInt8]) throws(PosixError) -> WriteOutcome {
        try write(raw, bytes[...])
    }

    /// Writes everything: for files and blocking descriptors. EAGAIN is an error here.
    package static func writeAll(_ raw: Int32, _ bytes: ArraySlice<UInt8>) throws(PosixError) {
        var rest = bytes
        while !rest.isEmpty {
            switch try write(raw, rest) {
            case .bytes(let count): rest = rest.dropFirst(count)
            case .wouldBlock: throw .system(call: "write", errno: EAGAIN)
            }
        }
    }

    package static func writeAll(_ raw: Int32, _ bytes: [UInt8]) throws(PosixError) {
        try writeAll(raw, bytes[...])
    }

    package static func setNonBlocking(_ raw: Int32, _ nonBlocking: Bool = true) throws(PosixError) {
        let flags = try retry("fcntl") { fcntl(raw, F_GETFL) }
        let wanted = nonBlocking ? flags | O_NONBLOCK : flags & ~O_NONBLOCK
        if wanted != flags { _ = try retry("fcntl") { fcntl(raw, F_SETFL, wanted) } }
    }

    package static func setCloseOnExec(_ raw: Int32, _ closeOnExec: Bool = true) throws(PosixError) {
        _ = try retry("fcntl") { fcntl(raw, F_SETFD, closeOnExec ? FD_CLOEXEC : 0) }
    }

    /// Another number for the same open file, at `minimum` or above, close-on-exec.
    package static func duplicate(_ raw: Int32, atLeast minimum: Int32 = 3) throws(PosixError) -> FileDescriptor {
        FileDescriptor(owning: try retry("fcntl") { fcntl(raw, F_DUPFD_CLOEXEC, minimum) })
    }
}
