// The error of this module: confinement that could not be had. A daemon that gets one does not start.
import Posix

/// Why a process could not be confined.
package enum SandboxError: Error, Equatable, Sendable {
    case system(call: String, errno: Int32)
    /// The process runs as root where it must not.
    case runsAsRoot
    /// After giving everything up, something was still held: `what` says what.
    case notConfined(what: String)
    /// The profile has mistakes: all of them, each with its line.
    case profile(String)

    static func check(_ result: Int32, _ call: @autoclosure () -> String) throws(SandboxError) {
        if result < 0 { throw .system(call: call(), errno: -result) }
    }
}

extension SandboxError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .system(let call, let errno): "\(call): \(PosixError.text(of: errno))"
        case .runsAsRoot: "refuses to run as root: start it under its own user, or by `bulkhead up`"
        case .notConfined(let what): "not confined: \(what)"
        case .profile(let mistakes): mistakes
        }
    }
}
