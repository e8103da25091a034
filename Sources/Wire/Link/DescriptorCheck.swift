// Is a received descriptor what the schema says? A peer that passes a device or a directory where a pipe is meant
// would have us do its I/O with our rights.

import Posix
package import Wire

/// The kinds of `fd<...>` in the schema, asked of the kernel.
package enum DescriptorCheck {
    package static func `is`(_ raw: Int32, _ kind: FDKind) -> Bool {
        guard let found = try? Posix.descriptorKind(raw) else { return false }
        return matches(found, kind)
    }

    private static func matches(_ found: DescriptorKind, _ kind: FDKind) -> Bool {
        switch (kind, found) {
        case (.fileRead, .file(let readable, let writable)): readable && !writable
        case (.pipeWrite, .pipe(let readable, let writable)): writable && !readable
        case (.streamSocket, .streamSocket(_, let listening)): !listening
        default: false
        }
    }
}
