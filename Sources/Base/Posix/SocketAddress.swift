// Socket addresses in the bytes that the kernel wants, for Unix paths and for IP addresses in digits. No name is ever resolved
// here: that would pull the resolver into a static runner.
import Glibc

/// An address in the kernel's form.
struct SocketAddress {
    private var storage = sockaddr_storage()
    private var length: socklen_t = 0
    let family: Int32

    /// A socket in the file system, or in the abstract namespace if the path starts with `@`.
    init(unix path: String) throws(PosixError) {
        var bytes = Array(path.utf8)
        if bytes.isEmpty || bytes.contains(0) { throw .badPath(path) }
        let abstract = bytes[0] == UInt8(ascii: "@")
        if abstract { bytes[0] = 0 }
        let offset = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2
        // One byte less than there is: a path without its NUL is read differently by different programs.
        if bytes.count > MemoryLayout<sockaddr_un>.size - offset - 1 { throw .badPath(path) }
        family = AF_UNIX
        storage.ss_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &storage) { room in
            for (index, byte) in bytes.enumerated() { unsafe room[offset + index] = byte }
        }
        length = socklen_t(offset + bytes.count + (abstract ? 0 : 1))
    }

    /// An IPv4 or IPv6 address in digits and a port.
    init(host: String, port: UInt16) throws(PosixError) {
        var four = sockaddr_in()
        var six = sockaddr_in6()
        if unsafe inet_pton(AF_INET, host, &four.sin_addr) == 1 {
            family = AF_INET
            four.sin_family = sa_family_t(AF_INET)
            four.sin_port = port.bigEndian
            set(four)
        } else if unsafe inet_pton(AF_INET6, host, &six.sin6_addr) == 1 {
            family = AF_INET6
            six.sin6_family = sa_family_t(AF_INET6)
            six.sin6_port = port.bigEndian
            set(six)
        } else {
            throw .badAddress(host)
        }
    }

    private mutating func set<Address>(_ address: Address) {
        unsafe withUnsafeBytes(of: address) { bytes in
            unsafe withUnsafeMutableBytes(of: &storage) { room in unsafe room.copyMemory(from: bytes) }
        }
        length = socklen_t(MemoryLayout<Address>.size)
    }

    /// Calls `body` with the pointer and the length that bind, connect and sendto take.
    func withPointer(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        unsafe withUnsafePointer(to: storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, length) }
        }
    }
}
