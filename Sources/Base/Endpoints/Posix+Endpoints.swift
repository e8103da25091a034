// Making the ends of conversations: pipes, pairs of sockets, listeners, TCP. `bulkhead up` makes what the daemons
// listen on, relayd and the runner make pipes; a daemon that guards something is passed its sockets, and this module is
// not linked into it.
import CLinux
import Files
import Glibc
package import Posix

extension Posix {
    /// Two ends of a new pipe, close-on-exec.
    package static func pipe(nonBlocking: Bool = false) throws(PosixError) -> DescriptorPair {
        var ends: [Int32] = [-1, -1]
        _ = try unsafe PosixError.check(bh_pipe(&ends, nonBlocking ? 1 : 0), "pipe")
        return DescriptorPair(FileDescriptor(owning: ends[0]), FileDescriptor(owning: ends[1]))
    }

    /// Two connected Unix stream sockets.
    package static func socketPair(nonBlocking: Bool = true) throws(PosixError) -> DescriptorPair {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | (nonBlocking ? SOCK_NONBLOCK.rawValue : 0))
        _ = try retry("socketpair") { unsafe socketpair(AF_UNIX, kind, 0, &ends) }
        return DescriptorPair(FileDescriptor(owning: ends[0]), FileDescriptor(owning: ends[1]))
    }

    /// Listens on a Unix socket. A socket file that a crash left behind is removed first; anything else in its place is
    /// an error. The file has exactly `mode`, and never more; non-blocking.
    package static func listenUnix(
        _ path: String, mode: UInt32, backlog: Int32 = 1024
    ) throws(PosixError) -> FileDescriptor {
        let address = try UnixAddress(path)
        if let old = try? lstat(path), old.kind == .socket { try unlink(path) }
        let socket = try streamSocket(AF_UNIX, nonBlocking: true)
        try fchmod(socket.raw, mode)  // bind gives the file the mode of its socket, less the umask
        _ = try retry("bind \(path)") { unsafe address.withPointer { unsafe bind(socket.raw, $0, $1) } }
        // What the umask took is given back; to this file itself, not to what a link in its place would lead to.
        let file = try open(path, [.path, .noFollow])
        guard try fstat(file.raw).kind == .socket else { throw .system(call: "bind \(path)", errno: ENOTSOCK) }
        try chmod("/proc/self/fd/\(file.raw)", mode)
        _ = try retry("listen \(path)") { listen(socket.raw, backlog) }
        return socket
    }

    /// Listens on TCP; `host` is an IPv4 or IPv6 address in digits, port 0 lets the kernel choose (`boundPort`).
    /// Non-blocking.
    package static func listenTCP(
        _ host: String, port: UInt16, backlog: Int32 = 1024
    ) throws(PosixError) -> FileDescriptor {
        let address = try InternetAddress(host: host, port: port)
        let socket = try streamSocket(address.family, nonBlocking: true)
        try setOption(socket.raw, SO_REUSEADDR, 1)
        _ = try retry("bind \(host):\(port)") { unsafe address.withPointer { unsafe bind(socket.raw, $0, $1) } }
        _ = try retry("listen \(host):\(port)") { listen(socket.raw, backlog) }
        return socket
    }

    /// Connects to TCP and waits until it is; the socket blocks.
    package static func connectTCP(_ host: String, port: UInt16) throws(PosixError) -> FileDescriptor {
        let address = try InternetAddress(host: host, port: port)
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

    /// Says that no more bytes will be written (the peer reads end of file) while reading goes on.
    package static func shutdownWriting(_ raw: Int32) throws(PosixError) {
        _ = try retry("shutdown") { shutdown(raw, Int32(SHUT_WR)) }
    }

    private static func setOption(_ raw: Int32, _ name: Int32, _ value: Int32) throws(PosixError) {
        var copy = value
        _ = try retry("setsockopt") {
            unsafe setsockopt(raw, SOL_SOCKET, name, &copy, socklen_t(MemoryLayout<Int32>.size))
        }
    }
}
