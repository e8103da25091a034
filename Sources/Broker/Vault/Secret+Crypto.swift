// The one place where bytes leave swift-crypto for a Secret. It hands out plaintext as Data, on the heap: here that is
// taken over and overwritten before anybody else has seen it. Sealing reads from the Secret's own memory.

package import Crypto
package import FoundationEssentials
package import Secret

extension Secret {
    /// Takes the bytes of `data` and overwrites them there, also when this throws. `data` must have no other owner.
    package init(emptying data: inout Data) throws(SecretError) {
        defer { unsafe data.withUnsafeMutableBytes { unsafe Secret.overwrite($0) } }
        try unsafe self.init(capacity: data.count) { (room) throws(SecretError) in
            unsafe data.withUnsafeBytes { unsafe room.copyMemory(from: $0) }
            return data.count
        }
    }

    /// The bytes of a key.
    package init(_ key: SymmetricKey) throws(SecretError) {
        try unsafe self.init(capacity: key.bitCount / 8) { (room) throws(SecretError) in
            unsafe key.withUnsafeBytes { unsafe room.copyMemory(from: $0) }
            return key.bitCount / 8
        }
    }

    /// Bytes that are no secret by themselves and become part of something sealed.
    init(_ bytes: [UInt8]) throws(SecretError) {
        try unsafe self.init(capacity: bytes.count) { (room) throws(SecretError) in
            unsafe bytes.withUnsafeBytes { unsafe room.copyMemory(from: $0) }
            return bytes.count
        }
    }

    /// ChaCha20-Poly1305 under a random nonce: nonce (12) || ciphertext || tag (16).
    package borrowing func sealed(_ key: SymmetricKey, authenticating context: [UInt8]) throws(VaultError) -> [UInt8] {
        do {
            return try unsafe withBytes { bytes in
                Array(try unsafe ChaChaPoly.seal(bytes, using: key, authenticating: context).combined)
            }
        } catch {
            throw .damaged("sealing failed")
        }
    }

    /// The inverse. Throws `damaged` for any other key, context or byte.
    package static func open(
        _ sealed: [UInt8], _ key: SymmetricKey, authenticating context: [UInt8]
    ) throws(VaultError) -> Secret {
        var plain: Data
        do {
            plain = try ChaChaPoly.open(
                ChaChaPoly.SealedBox(combined: sealed), using: key, authenticating: context)
        } catch {
            throw .damaged("a sealed value does not open")
        }
        return try VaultError.secret { () throws(SecretError) in try Secret(emptying: &plain) }
    }
}
