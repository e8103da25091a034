// The address of a Unix socket in the bytes that the kernel wants.
package import Glibc

/// A socket in the file system, or in the abstract namespace if the path starts with `@`.
package struct UnixAddress {
    private var storage = sockaddr_un()
    private let length: socklen_t

    package init(_ path: String) throws(PosixError) {
        var bytes = Array(path.utf8)
        if bytes.isEmpty || bytes.contains(0) { throw .badPath(path) }
        let abstract = bytes[0] == UInt8(ascii: "@")
        if abstract { bytes[0] = 0 }
        let offset = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2
        // One byte less than there is: a path without its NUL is read differently by different programs.
        if bytes.count > MemoryLayout<sockaddr_un>.size - offset - 1 { throw .badPath(path) }
        length = socklen_t(offset + bytes.count + (abstract ? 0 : 1))
        storage.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &storage.sun_path) { room in unsafe room.copyBytes(from: bytes) }
    }

    /// Calls `body` with the pointer and the length that bind, connect and sendto take.
    package func withPointer(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        unsafe withUnsafePointer(to: storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, length) }
        }
    }
}
