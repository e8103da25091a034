// The master keys: a directory with a file for the current one and, during a rotation, one for the next. Who starts
// brokerd makes them, or systemd brings them as credentials.

import Files
package import Orders
import Posix
import Secret

/// Reads the directory of master keys.
package enum MasterKeys {
    private static let limit = 4
    /// Of the owner alone; 0440 is what a credential looks like whose access list names us.
    private static let modes: Set<UInt32> = [0o600, 0o400, 0o440]

    /// All keys, by the names of their files.
    package static func read(_ directory: String) throws(VaultError) -> [BrokerKeys] {
        let names = try VaultError.posix { () throws(PosixError) in try Posix.directoryEntries(directory) }
        if names.isEmpty { throw .unusable("\(directory) holds no master key") }
        if names.count > limit { throw .unusable("\(directory) holds \(names.count) files; \(limit) are the most") }
        var keys: [BrokerKeys] = []
        for name in names { keys.append(try key("\(directory)/\(name)")) }
        return keys
    }

    private static func key(_ path: String) throws(VaultError) -> BrokerKeys {
        let file = try VaultError.posix { () throws(PosixError) in try Posix.open(path, [.readOnly, .noFollow]) }
        let status = try VaultError.posix { () throws(PosixError) in try Posix.fstat(file.raw) }
        guard status.kind == .regular, modes.contains(status.mode) else {
            throw .unusable("\(path) must be a file of mode 0600 or 0400: others could read the master key")
        }
        let raw = file.raw
        let master = try VaultError.secret { () throws(SecretError) in
            try Secret(contentsOf: raw, limit: BrokerKeys.masterSize)
        }
        do {
            return try unsafe master.withBytes { (bytes) throws(OrderError) in try unsafe BrokerKeys(master: bytes) }
        } catch {
            throw .unusable("\(path): \(error)")
        }
    }
}
