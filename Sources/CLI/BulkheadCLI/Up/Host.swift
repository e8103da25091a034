// Host: what root asks of the kernel for the house: to mount memory for the grants, and to give a file away. Here and
// in no daemon. Talks to the C library; GrantDirectory and Folder ask it.

import Files
import Foundation
import Glibc
import Posix

/// The kernel of this machine.
enum Host {
    /// Mounts a tmpfs from which nothing runs. An errno, 0 if it is there.
    static func mountMemory(_ path: String, options: String) -> Int32 {
        let flags = UInt(MS_NOSUID | MS_NODEV | MS_NOEXEC)
        return unsafe mount("bulkhead-grants", path, "tmpfs", flags, options) == 0 ? 0 : errno
    }

    /// Takes a mount away; one that is in use vanishes with its last user. An errno, 0 if it is gone.
    static func unmount(_ path: String) -> Int32 {
        if unsafe umount2(path, 0) == 0 { return 0 }
        return unsafe umount2(path, Int32(MNT_DETACH)) == 0 ? 0 : errno
    }

    /// Whether files in this directory live in memory.
    static func isMemory(_ path: String) -> Bool {
        MountTable.current?.kind(of: path) == "tmpfs"
    }

    /// Whether the kernel may write memory to a disk. Unknown counts as yes.
    static var isSwapOn: Bool {
        guard let bytes = try? Posix.readFile("/proc/swaps", limit: 1 << 20), !bytes.isEmpty else { return true }
        return bytes.split(separator: UInt8(ascii: "\n")).count > 1
    }

    static func giveAway(_ raw: Int32, to owner: Owner) throws(PosixError) {
        if fchown(raw, owner.uid, owner.gid) != 0 { throw .system(call: "fchown", errno: errno) }
    }
}
