// SealKey: the key of a job's files, out of its grant. brokerd has it as well, and nobody who carries them.

import CNettle
import Glibc
package import Wire

package final class SealKey {
    private let bytes: WipedBytes

    init(_ bytes: WipedBytes) { self.bytes = bytes }

    /// HMAC-SHA256 over what a rule has come to.
    package func seal(_ files: LeftFiles) -> Bytes32? {
        // No number of these is out of its bounds.
        guard let said = try? files.encoded() else { return nil }
        var context = hmac_sha256_ctx()
        // It holds the key.
        defer { explicit_bzero(&context, MemoryLayout<hmac_sha256_ctx>.size) }
        bytes.withBytes { nettle_hmac_sha256_set_key(&context, $0.count, $0.baseAddress) }
        nettle_hmac_sha256_update(&context, said.count, said)
        var code = [UInt8](repeating: 0, count: 32)
        nettle_hmac_sha256_digest(&context, code.count, &code)
        return Bytes32(bytes: code)
    }
}
