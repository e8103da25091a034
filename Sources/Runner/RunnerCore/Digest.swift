// SHA-256, by nettle: what a source and a definition are compared with.

import CNettle
package import Wire

/// A hash in the making.
package struct Digest {
    private var context = sha256_ctx()

    package init() {
        nettle_sha256_init(&context)
    }

    package mutating func update(_ bytes: ArraySlice<UInt8>) {
        bytes.withUnsafeBufferPointer { nettle_sha256_update(&context, $0.count, $0.baseAddress) }
    }

    /// The hash of all that was taken; afterwards this one begins anew.
    package mutating func finish() -> Bytes32 {
        var hash = [UInt8](repeating: 0, count: 32)
        nettle_sha256_digest(&context, hash.count, &hash)
        // 32 bytes are a Bytes32.
        return Bytes32(bytes: hash) ?? Bytes32(0, 0, 0, 0)
    }

    package static func of(_ bytes: [UInt8]) -> Bytes32 {
        var digest = Digest()
        digest.update(bytes[...])
        return digest.finish()
    }
}
