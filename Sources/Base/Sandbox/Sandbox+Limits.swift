// Limits and descriptors: what the process may use, and what it inherited without being asked.
import CLinux

extension Sandbox {
    /// No core files, and at most `openFiles` descriptors, soft and hard. A lower hard limit that is in force already
    /// is kept.
    package static func setLimits(openFiles: UInt64) throws(SandboxError) {
        try SandboxError.check(bh_set_limits(openFiles), "setrlimit")
    }

    /// Closes every descriptor but 0, 1, 2 and `keep`: what a parent left open by mistake is nobody's here.
    package static func closeAllExcept(_ keep: [Int32]) throws(SandboxError) {
        var first: UInt32 = 3
        for raw in Set(keep).sorted() where raw >= 3 {
            let kept = UInt32(raw)
            if kept > first { try SandboxError.check(bh_close_range(first, kept - 1, 0), "close_range") }
            first = kept + 1
        }
        try SandboxError.check(bh_close_range(first, .max, 0), "close_range")
    }
}
