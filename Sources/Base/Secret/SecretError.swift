// The errors of this module. None of them holds a byte of what a Secret holds.
import Posix

/// Why a secret could not be kept, or not be moved.
package enum SecretError: Error, Equatable, Sendable {
    /// The kernel refused `call`. A refused `mlock` means that the process may lock less than it needs
    /// (RLIMIT_MEMLOCK).
    case system(call: String, errno: Int32)
    /// More bytes than the secret's capacity, in bytes.
    case full(capacity: Int)
}

extension SecretError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .system(let call, let errno): "\(call): \(PosixError.text(of: errno))"
        case .full(let capacity): "more than \(capacity) bytes"
        }
    }
}
