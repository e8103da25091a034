// Opens what brokerd sealed for this runner: ChaCha20-Poly1305 (RFC 8439), by nettle.

import CNettle
import Glibc

package enum GrantSeal {
    package static let keySize = 32
    package static let nonceSize = 12
    package static let tagSize = 16

    /// Opens `nonce || ciphertext || tag`.
    /// - Parameters:
    ///   - key: 32 bytes.
    ///   - associated: what the seal is bound to besides.
    /// - Returns: the plaintext; nil if it was not sealed with this key for this use, or was changed since.
    package static func open(_ sealed: [UInt8], key: WipedBytes, associated: [UInt8]) -> WipedBytes? {
        let size = sealed.count - nonceSize - tagSize
        guard size >= 0, key.count == keySize, let plain = WipedBytes(count: size) else { return nil }
        var context = chacha_poly1305_ctx()
        // It holds the key.
        defer { explicit_bzero(&context, MemoryLayout<chacha_poly1305_ctx>.size) }
        var tag = [UInt8](repeating: 0, count: tagSize)
        let isGenuine = sealed.withUnsafeBufferPointer { bytes -> Bool in
            guard let start = bytes.baseAddress else { return false }
            key.withBytes { nettle_chacha_poly1305_set_key(&context, $0.bindMemory(to: UInt8.self).baseAddress) }
            nettle_chacha_poly1305_set_nonce(&context, start)
            nettle_chacha_poly1305_update(&context, associated.count, associated)
            plain.withMutableBytes {
                let to = $0.bindMemory(to: UInt8.self).baseAddress
                nettle_chacha_poly1305_decrypt(&context, size, to, start + nonceSize)
            }
            nettle_chacha_poly1305_digest(&context, tagSize, &tag)
            return nettle_memeql_sec(tag, start + nonceSize + size, tagSize) == 1
        }
        // What was decrypted without proof is nobody's business; it is wiped as it goes.
        return isGenuine ? plain : nil
    }
}
