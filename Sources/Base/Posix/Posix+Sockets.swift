// Stream sockets: Unix ones between our processes, TCP ones for `bulkhead up` (daemons never bind).
import CLinux
import Glibc

extension Posix {
    /// Listens on a Unix socket. A socket file that a crash left behind is removed first; anything else in its place is an error.
    /// The file has exactly `mode` from its first moment; non-blocking.
    package static func listenUnix(
        _ path: String, mode: UInt32, backlog: Int32 = 1024
    ) throws(PosixError) -> FileDescriptor {
        let address = try SocketAddress(unix: path)
        if let old = try? lstat(path), old.kind == .socket { try unlink(path) }
        let socket = try streamSocket(AF_UNIX, nonBlocking: true)
        try fchmod(socket.raw, mode)  // bind gives the file the mode of its socket, less the umask
        _ = try retry("bind \(path)") { unsafe address.withPointer { unsafe bind(socket.raw, $0, $1) } }
        try chmod(path, mode)
        _ = try retry("listen \(path)") { listen(socket.raw, backlog) }
        return socket
    }

    /// Connects to a Unix socket. Non-blocking, EAGAIN is thrown when the listener's queue is full.
    package static func connectUnix(_ path: String, nonBlocking: Bool = true) throws(PosixError) -> FileDescriptor {
        let address = try SocketAddress(unix: path)
        let socket = try streamSocket(AF_UNIX, nonBlocking: nonBlocking)
        _ = try retry("connect \(path)") { unsafe address.withPointer { unsafe connect(socket.raw, $0, $1) } }
        return socket
    }

    /// Two connected Unix stream sockets.
    package static func socketPair(nonBlocking: Bool = true) throws(PosixError) -> DescriptorPair {
        var ends: [Int32] = [-1, -1]
        let kind = streamKind(nonBlocking)
        _ = try retry("socketpair") { unsafe socketpair(AF_UNIX, kind, 0, &ends) }
        return DescriptorPair(FileDescriptor(owning: ends[0]), FileDescriptor(owning: ends[1]))
    }

    /// Listens on TCP; `host` is an IPv4 or IPv6 address in digits, port 0 lets the kernel choose (`boundPort`). Non-blocking.
    package static func listenTCP(
        _ host: String, port: UInt16, backlog: Int32 = 1024
    ) throws(PosixError) -> FileDescriptor {
        let address = try SocketAddress(host: host, port: port)
        let socket = try streamSocket(address.family, nonBlocking: true)
        try setOption(socket.raw, SO_REUSEADDR, 1)
        _ = try retry("bind \(host):\(port)") { unsafe address.withPointer { unsafe bind(socket.raw, $0, $1) } }
        _ = try retry("listen \(host):\(port)") { listen(socket.raw, backlog) }
        return socket
    }

    /// Connects to TCP and waits until it is; the socket blocks.
    package static func connectTCP(_ host: String, port: UInt16) throws(PosixError) -> FileDescriptor {
        let address = try SocketAddress(host: host, port: port)
        let socket = try streamSocket(address.family, nonBlocking: false)
        _ = try retry("connect \(host):\(port)") { unsafe address.withPointer { unsafe connect(socket.raw, $0, $1) } }
        return socket
    }

    /// The port of a bound TCP socket.
    package static func boundPort(_ raw: Int32) throws(PosixError) -> UInt16 {
        var address = sockaddr_in6()  // IPv4 has its port at the same place
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        _ = try retry("getsockname") {
            unsafe withUnsafeMutablePointer(to: &address) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe getsockname(raw, $0, &length)
                }
            }
        }
        return UInt16(bigEndian: address.sin6_port)
    }

    /// The next connection, non-blocking; nil if none waits. EMFILE and ENFILE are thrown: stop watching the listener for a
    /// moment then, since it stays readable.
    package static func accept(_ listener: Int32) throws(PosixError) -> FileDescriptor? {
        while true {
            let raw = bh_accept(listener)
            if raw >= 0 { return FileDescriptor(owning: raw) }
            if raw == -EAGAIN { return nil }
            if raw == -EINTR || raw == -ECONNABORTED { continue }
            throw .system(call: "accept", errno: -raw)
        }
    }

    /// Says that no more bytes will be written (the peer reads end of file) while reading goes on.
    package static func shutdownWriting(_ raw: Int32) throws(PosixError) {
        _ = try retry("shutdown") { shutdown(raw, Int32(SHUT_WR)) }
    }

    /// The error that an asynchronous operation left on a socket; 0: none.
    package static func pendingError(_ raw: Int32) throws(PosixError) -> Int32 {
        try option(raw, SO_ERROR)
    }

    /// Sends one datagram to a Unix socket (sd_notify), waiting for nothing.
    package static func sendDatagram(_ text: String, toUnix path: String) throws(PosixError) {
        let address = try SocketAddress(unix: path)
        let kind = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let socket = FileDescriptor(owning: try retry("socket") { Glibc.socket(AF_UNIX, kind, 0) })
        let bytes = Array(text.utf8)
        _ = try retry("send to \(path)") {
            unsafe address.withPointer {
                unsafe Int32(sendto(socket.raw, bytes, bytes.count, Int32(MSG_NOSIGNAL), $0, $1))
            }
        }
    }

    static func option(_ raw: Int32, _ name: Int32) throws(PosixError) -> Int32 {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        _ = try retry("getsockopt") { unsafe getsockopt(raw, SOL_SOCKET, name, &value, &length) }
        return value
    }

    static func setOption(_ raw: Int32, _ name: Int32, _ value: Int32) throws(PosixError) {
        var copy = value
        _ = try retry("setsockopt") {
            unsafe setsockopt(raw, SOL_SOCKET, name, &copy, socklen_t(MemoryLayout<Int32>.size))
        }
    }

    private static func streamKind(_ nonBlocking: Bool) -> Int32 {
        Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | (nonBlocking ? SOCK_NONBLOCK.rawValue : 0))
    }

    private static func streamSocket(_ family: Int32, nonBlocking: Bool) throws(PosixError) -> FileDescriptor {
        FileDescriptor(owning: try retry("socket") { Glibc.socket(family, streamKind(nonBlocking), 0) })
    }
}
