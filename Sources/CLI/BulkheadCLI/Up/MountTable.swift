// MountTable: what /proc/self/mountinfo says of the file system under a path. For Host.

import Files
import Posix

package struct MountTable {
    private let mounts: [(point: String, kind: String)]

    /// A line: `36 35 98:0 /root /mount/point rw,noatime master:1 - ext4 /dev/root rw`; a space in a name is `\040`.
    package init(_ text: String) {
        mounts = text.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ", omittingEmptySubsequences: false)
            guard fields.count > 6, let dash = fields.firstIndex(of: "-"), dash + 1 < fields.count else { return nil }
            return (Self.plain(fields[4]), String(fields[dash + 1]))
        }
    }

    /// What is mounted now; nil if the kernel does not say.
    package static var current: MountTable? {
        // Read until its end: a file of /proc has no size, and what goes by the size reads nothing.
        guard let bytes = try? Posix.readFile("/proc/self/mountinfo", limit: 16 << 20) else { return nil }
        return MountTable(String(decoding: bytes, as: UTF8.self))
    }

    /// The kind of file system (`tmpfs`, `ext4`) at an absolute path without links; nil if nothing is mounted there.
    package func kind(of path: String) -> String? {
        let under = mounts.filter { mount in
            mount.point == "/" || path == mount.point || path.hasPrefix(mount.point + "/")
        }
        let longest = under.map(\.point.utf8.count).max()
        // Of two at one place the later one hides the other.
        return under.last { $0.point.utf8.count == longest }?.kind
    }

    private static func plain(_ field: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(field.utf8)[...]
        while let byte = rest.popFirst() {
            let digits = rest.prefix(3)
            if byte == UInt8(ascii: "\\"), digits.count == 3,
                let code = UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
            {
                bytes.append(code)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
