// Reading and writing bytes. Non-blocking descriptors answer `.wouldBlock`; blocking ones wait.
import CLinux
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

    /// Reads up to `maximum` bytes at `position` (a file); an empty array at its end.
    package static func pread(_ raw: Int32, maximum: Int, at position: Int64) throws(PosixError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: maximum)
        let count = try unsafe bytes.withUnsafeMutableBufferPointer { (room) throws(PosixError) in
            try retry("pread") { unsafe Glibc.pread(raw, room.baseAddress, room.count, Int(position)) }
        }
        bytes.removeLast(maximum - count)
        return bytes
    }

    /// Writes what the descriptor takes. A pipe without a reader throws EPIPE (SIGPIPE is ignored: `ignoreBrokenPipes`).
    package static func write(_ raw: Int32, _ bytes: UnsafeRawBufferPointer) throws(PosixError) -> WriteOutcome {
        while true {
            let count = unsafe Glibc.write(raw, bytes.baseAddress, bytes.count)
            if count >= 0 { return .bytes(count) }
            let error = errno
            if error == EAGAIN { return .wouldBlock }
            if error != EINTR { throw .system(call: "write", errno: error) }
        }
    }

    package static func write(_ raw: Int32, _ bytes: ArraySlice<UInt8>) throws(PosixError) -> WriteOutcome {
        try unsafe bytes.withUnsafeBufferPointer { (part) throws(PosixError) in
            try unsafe write(raw, UnsafeRawBufferPointer(part))
        }
    }

    package static func write(_ raw: Int32, _ bytes: [UInt8]) throws(PosixError) -> WriteOutcome {
        try unsafe bytes.withUnsafeBufferPointer { (part) throws(PosixError) in
            try unsafe write(raw, UnsafeRawBufferPointer(part))
        }
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

    /// Writes everything at `position` of a file.
    package static func pwriteAll(_ raw: Int32, _ bytes: ArraySlice<UInt8>, at position: Int64) throws(PosixError) {
        var written = 0
        try unsafe bytes.withUnsafeBufferPointer { (part) throws(PosixError) in
            while written < part.count {
                let rest = unsafe UnsafeBufferPointer(rebasing: part[written...])
                let place = Int(position) + written
                written += try retry("pwrite") { unsafe Glibc.pwrite(raw, rest.baseAddress, rest.count, place) }
            }
        }
    }

    /// Two ends of a new pipe, close-on-exec.
    package static func pipe(nonBlocking: Bool = false) throws(PosixError) -> DescriptorPair {
        var ends: [Int32] = [-1, -1]
        _ = try unsafe PosixError.check(bh_pipe(&ends, nonBlocking ? 1 : 0), "pipe")
        return DescriptorPair(FileDescriptor(owning: ends[0]), FileDescriptor(owning: ends[1]))
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
