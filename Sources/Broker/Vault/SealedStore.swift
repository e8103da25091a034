// The store: one file, sealed as a whole, replaced as a whole. Written by the broker alone, after each order that
// changes something.
//
//     "BULKHEAD-STORE-3\n" || ChaCha20-Poly1305(store key, StoreContent), with the first line authenticated

import Files
package import Orders
import Posix
package import Secret
import Wire

/// The store and the keys that it is sealed with. The rename is the commit point of every change, a rotation included.
package final class SealedStore {
    private static func magic(_ version: UInt8) -> [UInt8] { Array("BULKHEAD-STORE-\(version)\n".utf8) }
    private static let sizeLimit = 64 << 20

    private let directory: String
    private let points: Points
    package private(set) var content: StoreContent
    package private(set) var keys: BrokerKeys

    /// Opens the store of `directory` with the first of `candidates` that fits; nil if there is none.
    package init?(
        opening directory: String, _ candidates: [BrokerKeys], points: @escaping Points = { _ in }
    ) throws(VaultError) {
        guard let sealed = try Self.read(directory) else { return nil }
        self.directory = directory
        self.points = points
        (content, keys) = try Self.open(sealed, candidates)
    }

    /// Makes the first store of `directory`.
    package init(
        making directory: String, _ content: StoreContent, _ keys: BrokerKeys, points: @escaping Points = { _ in }
    ) throws(VaultError) {
        self.directory = directory
        self.points = points
        (self.content, self.keys) = (content, keys)
        try commit(content, keys)
    }

    /// Replaces the content, and the keys at a rotation, at once. What it throws before the rename has changed nothing.
    package func commit(_ next: StoreContent, _ nextKeys: BrokerKeys) throws(VaultError) {
        let path = "\(directory)/store"
        let file = Self.magic(StoreContent.version) + (try Self.seal(next, nextKeys))
        try VaultError.posix { () throws(PosixError) in
            let temporary = try Posix.open("\(path).new", [.writeOnly, .create, .truncate, .noFollow], mode: 0o600)
            try Posix.writeAll(temporary.raw, file[...])
            try Posix.fsync(temporary.raw)
            points(.storeTemporary)
            try Posix.rename("\(path).new", to: path)
        }
        points(.storeRenamed)
        (content, keys) = (next, nextKeys)
        try VaultError.posix { () throws(PosixError) in
            let folder = try Posix.open(directory, [.readOnly, .directory])
            try Posix.fsync(folder.raw)
        }
    }

    /// The value of a secret, in the open.
    package func value(of stored: StoredSecret) throws(VaultError) -> Secret {
        try Self.value(stored, content.generation, keys)
    }

    /// A value, sealed for the store. Nothing is committed.
    package func sealed(
        _ value: borrowing Secret, _ project: String, _ name: String, by person: String, at time: Int64
    ) throws(VaultError) -> StoredSecret {
        let context = Self.context(project, name, content.generation)
        return StoredSecret(
            project: project, name: name, setMs: time, setBy: person,
            sealed: try value.sealed(keys.store, authenticating: context))
    }

    /// The same content with every value sealed anew, for the next generation. Nothing is committed.
    package func rekeyed(for next: BrokerKeys) throws(VaultError) -> StoreContent {
        var content = content
        content.generation += 1
        for (index, secret) in content.secrets.enumerated() {
            let value = try Self.value(secret, self.content.generation, keys)
            let context = Self.context(secret.project, secret.name, content.generation)
            content.secrets[index].sealed = try value.sealed(next.store, authenticating: context)
        }
        return content
    }

    private static func value(
        _ secret: StoredSecret, _ generation: UInt32, _ keys: BrokerKeys
    ) throws(VaultError) -> Secret {
        try Secret.open(
            secret.sealed, keys.store, authenticating: context(secret.project, secret.name, generation))
    }

    /// What a value is sealed for: no stored value stands in for another.
    private static func context(_ project: String, _ name: String, _ generation: UInt32) -> [UInt8] {
        Array("bulkhead value 1\0\(project)\0\(name)\0\(generation)".utf8)
    }
}

extension SealedStore {
    /// nil: there is no store.
    private static func read(_ directory: String) throws(VaultError) -> [UInt8]? {
        do {
            return try Posix.readFile("\(directory)/store", limit: sizeLimit)
        } catch  where error.isMissing {
            return nil
        } catch {
            throw .posix(error)
        }
    }

    private static func open(
        _ file: [UInt8], _ candidates: [BrokerKeys]
    ) throws(VaultError) -> (StoreContent, BrokerKeys) {
        guard let version = (1...StoreContent.version).first(where: { file.starts(with: magic($0)) }) else {
            throw .damaged("the store does not begin as a store does")
        }
        let sealed = Array(file.dropFirst(magic(version).count))
        for keys in candidates {
            // A key that does not fit is not an error here: another may, and if none does, that is.
            guard let plain = try? Secret.open(sealed, keys.store, authenticating: magic(version)) else { continue }
            do {
                var reader = WireReader(unsafe plain.withBytes { unsafe Array($0) }[...])
                let content = try StoreContent(from: &reader, version: version)
                try reader.finish()
                return (content, keys)
            } catch { throw .damaged("the store: \(error)") }
        }
        throw .damaged("the store opens with none of the \(candidates.count) master keys: another key, or altered")
    }

    private static func seal(_ content: StoreContent, _ keys: BrokerKeys) throws(VaultError) -> [UInt8] {
        let bytes: [UInt8]
        do { bytes = try content.encoded() } catch { throw .full("the store does not encode: \(error)") }
        let plain = try VaultError.secret { () throws(SecretError) in try Secret(bytes) }
        return try plain.sealed(keys.store, authenticating: magic(StoreContent.version))
    }
}
