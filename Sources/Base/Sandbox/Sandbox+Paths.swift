// Landlock: a process opens, changes and runs nothing but below the paths that it names; it makes and takes no TCP
// connection by itself, and reaches no process but its own with signals or abstract sockets.
//
// What it does not govern: descriptors that are open already, connecting to a Unix socket that has a path (groups and
// modes do that), and asking whether a path exists. It judges by the file, not by its name: links and /proc/self/fd
// lead nowhere new.
import CLinux
import Glibc
import Posix

extension Sandbox {
    /// What the kernel could do of it.
    package enum PathConfinement: Equatable, Sendable {
        /// All that this code knows of.
        case full
        /// An older kernel: what is missing, for the log.
        case partial(version: Int, lacks: [String])
        /// The kernel has none, or has it switched off: for the log.
        case none(why: String)
    }

    /// Confines this thread, and every one that it starts from now on, to reading `reads` and to reading, writing,
    /// making and removing files and directories in `writes`: files or directories with everything below. A path to
    /// read that does not exist is left out; one to write must exist. Needs no-new-privileges, and cannot be undone.
    /// `connects`: TCP connections may be made, and still none taken.
    package static func openOnly(
        reads: [String], writes: [String], connects: Bool = false
    ) throws(SandboxError) -> PathConfinement {
        let version = bh_landlock_version()
        // The first version forbids moving a file from one directory to another altogether, and the store of logs does
        // so.
        if version < 0 { return .none(why: PosixError.text(of: -version)) }
        if version < 2 { return .none(why: "its interface is version 1") }
        let files = Access.all(version)
        let ruleset = bh_landlock_create(
            files, version < 4 ? 0 : connects ? Access.bind : Access.bind | Access.connect,
            version >= 6 ? Access.scopes : 0)
        try SandboxError.check(ruleset, "landlock_create_ruleset")
        defer { close(ruleset) }
        for path in reads {
            try allow(path, Access.read, ruleset: ruleset, mayBeMissing: true)
        }
        for path in writes {
            try allow(path, Access.write & files, ruleset: ruleset, mayBeMissing: false)
        }
        try SandboxError.check(bh_landlock_restrict(ruleset), "landlock_restrict_self")
        let lacks = [(3, "truncation"), (4, "TCP"), (5, "devices"), (6, "signals and abstract sockets")]
            .filter { version < $0.0 }.map(\.1)
        return lacks.isEmpty ? .full : .partial(version: Int(version), lacks: lacks)
    }

    private static func allow(
        _ path: String, _ access: UInt64, ruleset: Int32, mayBeMissing: Bool
    ) throws(SandboxError) {
        let place = unsafe bh_open_place(path)
        if place == -ENOENT && mayBeMissing { return }
        try SandboxError.check(place, "open \(path)")
        defer { close(place) }
        var status = stat()
        if unsafe fstat(place, &status) < 0 { throw .system(call: "stat \(path)", errno: errno) }
        let isDirectory = status.st_mode & S_IFMT == S_IFDIR
        // What only a directory can be asked for is refused for a file.
        let asked = isDirectory ? access : access & Access.ofFiles
        try SandboxError.check(bh_landlock_allow(ruleset, place, asked), "landlock_add_rule \(path)")
    }

    /// The bits of <linux/landlock.h>; headers that are older than the kernel lack some.
    private enum Access {
        static let execute: UInt64 = 1 << 0
        static let writeFile: UInt64 = 1 << 1
        static let readFile: UInt64 = 1 << 2
        static let readDirectory: UInt64 = 1 << 3
        static let removeDirectory: UInt64 = 1 << 4
        static let removeFile: UInt64 = 1 << 5
        static let makeDirectory: UInt64 = 1 << 7
        static let makeFile: UInt64 = 1 << 8
        static let move: UInt64 = 1 << 13
        static let truncate: UInt64 = 1 << 14

        static let read = readFile | readDirectory
        /// No sockets, pipes, devices or symbolic links are made.
        static let write = read | writeFile | removeDirectory | removeFile | makeDirectory | makeFile | move | truncate
        static let ofFiles = execute | writeFile | readFile | truncate

        static let bind: UInt64 = 1 << 0
        static let connect: UInt64 = 1 << 1
        /// Abstract Unix sockets, signals.
        static let scopes: UInt64 = 0b11

        /// Everything that this version of the interface governs, of what was known to us: whatever is not allowed is
        /// forbidden.
        static func all(_ version: Int32) -> UInt64 {
            let last: UInt64 = version >= 5 ? 15 : version >= 3 ? 14 : 13
            return (1 << (last + 1)) - 1
        }
    }
}
