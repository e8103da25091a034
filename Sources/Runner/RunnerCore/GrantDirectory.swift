// The runner's grant: a directory of brokerd's, mounted into the container, where nobody but brokerd writes. At the
// start it holds `key`, later perhaps `grant`; both are there until brokerd has wiped them. Used by Runner.

import Files
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
        let file: FileDescriptor
        do {
            file = try Posix.open(path + "/key", [.readOnly, .noFollow])
        } catch {
            throw Refusal("\(path)/key cannot be opened: \(PosixError.text(of: error.errno))")
        }
        let raw = file.raw
        let got = try? key.withMutableBytes { (room) throws(PosixError) in try Posix.read(raw, into: room) }
        guard case .bytes(key.count)? = got else { throw Refusal("\(path)/key is cut") }
        guard GrantDirectory.isWhole(raw, size: key.count), key.withBytes({ $0.contains { $0 != 0 } }) else {
            throw Refusal("\(path)/key has been wiped")
        }
        return key
    }

    /// The sealed grant, nil if it is not there, or is being wiped at this moment.
    package func sealedGrant() -> [UInt8]? {
        do {
            let file = try Posix.open(path + "/grant", [.readOnly, .noFollow])
            let size = try Posix.fstat(file.raw).size
            guard size <= GrantDirectory.largestGrant else { return nil }
            let bytes = try Posix.pread(file.raw, maximum: Int(size), at: 0)
            return GrantDirectory.isWhole(file.raw, size: bytes.count) ? bytes : nil
        } catch {
            return nil
        }
    }

    /// Whether nothing at all is left in it, whatever its name. Not if one cannot look.
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
    private static func isWhole(_ raw: Int32, size: Int) -> Bool {
        guard let status = try? Posix.fstat(raw) else { return false }
        return status.kind == .regular && status.mode & 0o004 != 0 && status.links == 1 && status.size == Int64(size)
    }
}
