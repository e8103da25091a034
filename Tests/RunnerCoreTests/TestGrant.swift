// brokerd's side of a grant: made and sealed.

import CNettle
import RunnerCore
import Wire

enum TestGrant {
    static let sealKey = Bytes32(1, 2, 3, 4)

    static func body(
        _ definition: JobDefinition, _ secrets: [String: String], attempt: Attempt = .test, token: String = "bj1.token"
    ) throws -> GrantBody {
        let granted = secrets.sorted { $0.key < $1.key }.map {
            GrantedSecret(name: $0.key, value: Array($0.value.utf8))
        }
        return GrantBody(
            attempt: attempt, definition: Digest.of(try definition.encoded()), token: token,
            seal: sealKey, secrets: granted)
    }

    /// HMAC-SHA256 as RFC 2104 has it, by the hash alone.
    static func seal(rule: UInt16, size: UInt64, _ sha256: Bytes32) -> Bytes32 {
        func big(_ value: UInt64, _ bytes: Int) -> [UInt8] {
            (0..<bytes).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
        }
        let said = big(UInt64(rule), 2) + big(size, 8) + sha256.array
        let key = sealKey.array + [UInt8](repeating: 0, count: 32)
        let inner = Digest.of(key.map { $0 ^ 0x36 } + said)
        return Digest.of(key.map { $0 ^ 0x5C } + inner.array)
    }

    /// nonce || ChaCha20-Poly1305 || tag, for this runner.
    static func seal(_ plain: [UInt8], key: [UInt8], runner: Bytes16) -> [UInt8] {
        let nonce = Array(Bytes16.random().array.prefix(GrantSeal.nonceSize))
        let associated = Array("bulkhead grant 1".utf8) + runner.array
        var context = chacha_poly1305_ctx()
        var ciphertext = [UInt8](repeating: 0, count: plain.count)
        var tag = [UInt8](repeating: 0, count: GrantSeal.tagSize)
        nettle_chacha_poly1305_set_key(&context, key)
        nettle_chacha_poly1305_set_nonce(&context, nonce)
        nettle_chacha_poly1305_update(&context, associated.count, associated)
        nettle_chacha_poly1305_encrypt(&context, plain.count, &ciphertext, plain)
        nettle_chacha_poly1305_digest(&context, tag.count, &tag)
        return nonce + ciphertext + tag
    }
}

extension RunnerChild {
    /// What brokerd writes for this runner and this job.
    func grant(_ definition: JobDefinition, _ secrets: [String: String]) throws {
        let body = try TestGrant.body(definition, secrets).encoded()
        try grant(TestGrant.seal(body, key: key, runner: runner))
    }
}
