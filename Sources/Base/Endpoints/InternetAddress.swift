// IP addresses in the bytes that the kernel wants, from digits. No name is ever resolved here: that would pull the
// resolver into a static runner.
import Glibc
import Posix

/// An IPv4 or IPv6 address in digits and a port.
struct InternetAddress {
    private var storage = sockaddr_storage()
    private var length: socklen_t = 0
    let family: Int32

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

    /// Calls `body` with the pointer and the length that bind and connect take.
    func withPointer(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        unsafe withUnsafePointer(to: storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, length) }
        }
    }
}
