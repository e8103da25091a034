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
    /// The effective user.
    package static var userID: UInt32 { geteuid() }

    /// A variable of the environment, nil if it is not set or not UTF-8.
    package static func environment(_ name: String) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(validatingCString: value)
    }
}
