// Clocks, randomness, and who we are.
import CLinux
import Glibc

extension Posix {
    /// Nanoseconds since some fixed moment; never set back. For deadlines.
    package static func monotonicNow() -> UInt64 {
        var now = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &now)
        return UInt64(now.tv_sec) &* 1_000_000_000 &+ UInt64(now.tv_nsec)
    }

    /// Milliseconds since 1970, as the host's clock has it. For records that people read.
    package static func wallMilliseconds() -> Int64 {
        var now = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &now)
        return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
    }

    /// Bytes from the kernel's generator.
    package static func randomBytes(_ count: Int) throws(PosixError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let start = filled
            let got = unsafe bytes.withUnsafeMutableBufferPointer { room in
                let rest = unsafe UnsafeMutableBufferPointer(rebasing: room[start...])
                return unsafe bh_random(rest.baseAddress, rest.count)
            }
            if got < 0 && got != -Int(EINTR) { throw .system(call: "getrandom", errno: Int32(-got)) }
            filled += max(0, got)
        }
        return bytes
    }

    package static var processID: Int32 { getpid() }
    /// The parent's pid; 1 or a subreaper's when the parent is gone.
    package static var parentID: Int32 { getppid() }
    /// The effective user.
    package static var userID: UInt32 { geteuid() }
    /// The effective group.
    package static var groupID: UInt32 { getegid() }

    /// The supplementary groups.
    package static func supplementaryGroups() throws(PosixError) -> [UInt32] {
        let count = try retry("getgroups") { getgroups(0, nil) }
        var groups = [UInt32](repeating: 0, count: Int(count))
        let found = try retry("getgroups") { unsafe getgroups(count, &groups) }
        return Array(groups.prefix(Int(found)))
    }

    /// A variable of the environment, nil if it is not set or not UTF-8.
    package static func environment(_ name: String) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(validatingCString: value)
    }

    /// Removes a variable, so that children and later code do not see it. Before other threads are started.
    package static func removeEnvironment(_ name: String) {
        unsafe unsetenv(name)
    }

    /// Whether the descriptor is a terminal.
    package static func isTerminal(_ raw: Int32) -> Bool {
        isatty(raw) == 1
    }

    /// The file-creation mask; the old one is returned.
    @discardableResult
    package static func setFileCreationMask(_ mask: UInt32) -> UInt32 {
        umask(mask)
    }
}
