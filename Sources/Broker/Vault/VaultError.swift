// The errors of this module. They name calls, paths and places, and never a value.

package import Posix
package import Secret

/// Why something could not be kept, or not be had back.
package enum VaultError: Error, Equatable, Sendable {
    case posix(PosixError)
    case secret(SecretError)
    /// The audit log cannot be written: whatever was to be released stays here.
    case audit(PosixError)
    /// A file of ours does not read: altered, cut, or of another master key.
    case damaged(String)
    /// What was given at the start cannot be used: master keys, the bootstrap file.
    case unusable(String)
    case full(String)

    /// Runs a call of Posix or Files.
    package static func posix<R: ~Copyable>(_ body: () throws(PosixError) -> R) throws(VaultError) -> R {
        do { return try body() } catch { throw .posix(error) }
    }

    /// Runs a call of Secret.
    package static func secret<R: ~Copyable>(_ body: () throws(SecretError) -> R) throws(VaultError) -> R {
        do { return try body() } catch { throw .secret(error) }
    }
}

extension VaultError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .posix(let error): "\(error)"
        case .secret(let error): "\(error)"
        case .audit(let error): "the audit log cannot be written: \(error)"
        case .damaged(let what), .unusable(let what), .full(let what): what
        }
    }
}
