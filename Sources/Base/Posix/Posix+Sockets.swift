// Sockets between our processes, from the side that has no right to make any: connecting, and accepting from a listener
// that was passed. Endpoints makes listeners.
import CLinux
import Glibc

extension Posix {
    /// Connects to a Unix socket. Non-blocking, EAGAIN is thrown when the listener's queue is full.
    package static func connectUnix(_ path: String, nonBlocking: Bool = true) throws(PosixError) -> FileDescriptor {
        let address = try UnixAddress(path)
        let socket = try streamSocket(AF_UNIX, nonBlocking: nonBlocking)
        _ = try retry("connect \(path)") { unsafe address.withPointer { unsafe connect(socket.raw, $0, $1) } }
        return socket
    }

    /// The next connection, non-blocking; nil if none waits. EMFILE and ENFILE are thrown: stop watching the listener
    /// for a moment then, since it stays readable.
    package static func accept(_ listener: Int32) throws(PosixError) -> FileDescriptor? {
        while true {
            let raw = bh_accept(listener)
            if raw >= 0 { return FileDescriptor(owning: raw) }
            if raw == -EAGAIN { return nil }
            if raw == -EINTR || raw == -ECONNABORTED { continue }
            throw .system(call: "accept", errno: -raw)
        }
    }

    /// Sends one datagram to a Unix socket (sd_notify), waiting for nothing.
    package static func sendDatagram(_ text: String, toUnix path: String) throws(PosixError) {
        let address = try UnixAddress(path)
        let kind = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let socket = FileDescriptor(owning: try retry("socket") { Glibc.socket(AF_UNIX, kind, 0) })
        let bytes = Array(text.utf8)
        _ = try retry("send to \(path)") {
            unsafe address.withPointer {
                unsafe Int32(sendto(socket.raw, bytes, bytes.count, Int32(MSG_NOSIGNAL), $0, $1))
            }
        }
    }

    /// A new stream socket, close-on-exec.
    package static func streamSocket(_ family: Int32, nonBlocking: Bool) throws(PosixError) -> FileDescriptor {
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | (nonBlocking ? SOCK_NONBLOCK.rawValue : 0))
        return FileDescriptor(owning: try retry("socket") { Glibc.socket(family, kind, 0) })
    }

    static func option(_ raw: Int32, _ name: Int32) throws(PosixError) -> Int32 {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        _ = try retry("getsockopt") { unsafe getsockopt(raw, SOL_SOCKET, name, &value, &length) }
        return value
    }
}
