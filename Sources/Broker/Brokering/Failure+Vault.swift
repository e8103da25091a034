// What goes wrong in the vault, in the words of the wire. The codes say whether the job waits (`later`) or fails.

import Link
import Posix
import Secret
import Vault
import Wire

extension Failure {
    init(_ error: VaultError) {
        switch error {
        case .audit: self.init(.auditFailed, "\(error)")
        case .full: self.init(.tooLarge, "\(error)")
        case .posix(let cause) where cause.isFull || cause.isFileTooLarge: self.init(.storageFull, "\(error)")
        default: self.init(.internal, "\(error)")
        }
    }

    /// Runs a call of Vault.
    static func vault<R: ~Copyable>(_ body: () throws(VaultError) -> R) throws(Failure) -> R {
        do { return try body() } catch { throw Failure(error) }
    }

    /// Runs a call of Secret.
    static func secret<R: ~Copyable>(_ body: () throws(SecretError) -> R) throws(Failure) -> R {
        do { return try body() } catch { throw Failure(.internal, "\(error)") }
    }
}
