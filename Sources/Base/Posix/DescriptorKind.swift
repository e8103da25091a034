// What a descriptor that came from somebody else really is. Every one is checked before use: a peer that sends a
// directory or a device where the schema says `fd<stream_socket>` must get nothing for it.
import CLinux
import Glibc

/// The kind of an open descriptor.
package enum DescriptorKind: Equatable, Sendable {
    /// A regular file and how it was opened.
    case file(readable: Bool, writable: Bool)
    case pipe(readable: Bool, writable: Bool)
    case streamSocket(SocketFamily, listening: Bool)
    case other
}

/// The address family of a socket.
package enum SocketFamily: Sendable {
    case unix, ipv4, ipv6, other
}

extension Posix {
    package static func descriptorKind(_ raw: Int32) throws(PosixError) -> DescriptorKind {
        let flags = try retry("fcntl") { fcntl(raw, F_GETFL) }
        let access = flags & O_ACCMODE
        let usable = flags & bh_o_path == 0  // else a place in the tree, neither readable nor writable
        let readable = usable && (access == O_RDONLY || access == O_RDWR)
        let writable = usable && (access == O_WRONLY || access == O_RDWR)
        var found = stat()
        _ = try retry("fstat") { unsafe Glibc.fstat(raw, &found) }
        switch found.st_mode & S_IFMT {
        case S_IFREG: return .file(readable: readable, writable: writable)
        case S_IFIFO: return .pipe(readable: readable, writable: writable)
        case S_IFSOCK where try option(raw, SO_TYPE) == Int32(SOCK_STREAM.rawValue):
            return .streamSocket(try socketFamily(raw), listening: try option(raw, SO_ACCEPTCONN) != 0)
        default: return .other
        }
    }

    private static func socketFamily(_ raw: Int32) throws(PosixError) -> SocketFamily {
        switch try option(raw, SO_DOMAIN) {
        case AF_UNIX: .unix
        case AF_INET: .ipv4
        case AF_INET6: .ipv6
        default: .other
        }
    }
}
