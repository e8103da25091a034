// The one token of this issue. schedulerd holds its SHA-256 only; brokerd takes the matter over in the next.

import Crypto
import Files
package import Posix
import Wire

/// Checks bearer tokens against a digest.
package struct AdminToken: Sendable {
    private let digest: [UInt8]

    /// `hex`: the SHA-256 of the token's bytes, 64 lower-case digits, spaces ignored. nil if it is not
    /// that.
    package init?(hexDigest hex: String) {
        let digits = hex.filter { !$0.isWhitespace }
        guard let digest = Bytes32(hex: digits) else { return nil }
        self.digest = digest.array
    }

    /// Reads the digest from a file of at most 1 KiB. nil if the file holds something else.
    package init?(file path: String) throws(PosixError) {
        let bytes = try Posix.readFile(path, limit: 1024)
        self.init(hexDigest: String(decoding: bytes, as: UTF8.self))
    }

    /// Compares every byte, whatever the first difference: the time tells nothing about the digest.
    package func accepts(_ token: String) -> Bool {
        var hash = SHA256()
        Array(token.utf8).withUnsafeBytes { hash.update(bufferPointer: $0) }
        let given = Array(hash.finalize())
        var difference: UInt8 = given.count == digest.count ? 0 : 1
        for (left, right) in zip(given, digest) { difference |= left ^ right }
        return difference == 0
    }
}
