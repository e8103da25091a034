// The runner's grant: a directory of brokerd's, mounted into the container, where nobody but brokerd writes. At the
// start it holds `key`, later perhaps `grant`; both are there until brokerd has wiped them. Used by Runner.

import Glibc
import Posix

/// Looks into one grant. What it reads belongs to this runner; everybody in the container could read it while it is
/// there, and so no step begins before it is gone.
package struct GrantDirectory {
    /// Larger than any grant: 32 secrets of 8 KiB.
    private static let largestGrant = 512 << 10
    private let path: String

    package init(_ path: String) {
        self.path = path
    }

    /// The runner's key.
    /// - Throws: why there is none: it is gone (brokerd wiped it because it began anew), cut, or already zeros.
    package func takeKey() throws(Refusal) -> WipedBytes {
        guard let key = WipedBytes(count: GrantSeal.keySize) else { throw Refusal("no memory for the key") }
        let fd = open(path + "/key", O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard fd >= 0 else { throw Refusal("\(path)/key cannot be opened: \(PosixError.text(of: errno))") }
        defer { close(fd) }
        let got = key.withMutableBytes { read(fd, $0.baseAddress, $0.count) }
        guard got == key.count else { throw Refusal("\(path)/key is cut") }
        guard GrantDirectory.isWhole(fd, size: key.count), key.withBytes({ $0.contains { $0 != 0 } }) else {
            throw Refusal("\(path)/key has been wiped")
        }
        return key
    }

    /// The sealed grant, nil if it is not there, or is being wiped at this moment.
    package func sealedGrant() -> [UInt8]? {
        let fd = open(path + "/grant", O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard fd >= 0 else { return nil }
        defer { close(fd) }
        var status = stat()
        guard fstat(fd, &status) == 0, status.st_size <= GrantDirectory.largestGrant else { return nil }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var filled = 0
        while filled < bytes.count {
            let count = bytes[filled...].withUnsafeMutableBytes { read(fd, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return nil }
            filled += count
        }
        return GrantDirectory.isWhole(fd, size: bytes.count) ? bytes : nil
    }

    /// Whether nothing at all is left in it. Not if one cannot look.
    package var isEmpty: Bool {
        guard let directory = opendir(path) else { return false }
        defer { closedir(directory) }
        var entries = 0
        errno = 0
        while readdir(directory) != nil { entries += 1 }
        // "." and "..".
        return errno == 0 && entries == 2
    }

    /// Whether what was just read is what brokerd wrote: before it overwrites a file it takes everybody's right to read
    /// it.
    private static func isWhole(_ fd: Int32, size: Int) -> Bool {
        var status = stat()
        return fstat(fd, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && status.st_mode & S_IROTH != 0
            && status.st_nlink == 1 && Int(status.st_size) == size
    }
}
