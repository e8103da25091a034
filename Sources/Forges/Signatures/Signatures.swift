// Signatures: whether a delivery comes from who has the key. Nothing of a body is looked at before; every comparison
// takes a time that depends on lengths alone.

import Crypto
package import Deliveries
package import Secret

package enum Signatures {
    /// `X-Hub-Signature-256: sha256=<hex>`. SHA-1 alone, which GitHub still sends, is no signature.
    package static func github(_ raw: RawDelivery, key: borrowing Secret) throws(Refusal) -> Delivery {
        let value = try one("x-hub-signature-256", of: raw)
        guard value.utf8.starts(with: "sha256=".utf8) else { throw .signature(.malformed) }
        return try check(raw, key: key, hex: value.utf8.dropFirst(7))
    }

    /// `X-Gitea-Signature` or `X-Forgejo-Signature: <hex>`. An empty one is what they send without a key.
    package static func gitea(_ raw: RawDelivery, key: borrowing Secret) throws(Refusal) -> Delivery {
        let isForgejo = try Forge(of: raw.headers) == .forgejo
        let value = try one(isForgejo ? "x-forgejo-signature" : "x-gitea-signature", of: raw)
        return try check(raw, key: key, hex: value.utf8[...])
    }

    /// `X-Gitlab-Token`, the key itself. Whoever has seen one delivery can make others.
    package static func gitlab(_ raw: RawDelivery, token: borrowing Secret) throws(Refusal) -> Delivery {
        if token.count == 0 { throw .signature(.noKey) }
        let given = Array(try one("x-gitlab-token", of: raw).utf8)
        // Under a key that nobody knows, so that not even the length is compared.
        let once = SymmetricKey(size: .bits256)
        let wanted = unsafe token.withBytes { unsafe HMAC<SHA256>.authenticationCode(for: $0, using: once) }
        guard equal(wanted, Array(HMAC<SHA256>.authenticationCode(for: given, using: once))) else {
            throw .signature(.wrong)
        }
        return Delivery(verified: raw)
    }

    private static func check(
        _ raw: RawDelivery, key: borrowing Secret, hex: Substring.UTF8View
    ) throws(Refusal) -> Delivery {
        if key.count == 0 { throw .signature(.noKey) }
        guard let given = Self.bytes(hex: hex) else { throw .signature(.malformed) }
        let key = unsafe key.withBytes { unsafe SymmetricKey(data: $0) }
        guard equal(HMAC<SHA256>.authenticationCode(for: raw.body, using: key), given) else {
            throw .signature(.wrong)
        }
        return Delivery(verified: raw)
    }

    /// The value of a header that has to be there once.
    static func one(_ name: String, of raw: RawDelivery) throws(Refusal) -> String {
        if raw.body.count > RawDelivery.maxBytes { throw .tooLarge }
        let values = raw.headers.all(name)
        if values.count > 1 { throw .signature(.repeated) }
        guard let value = values.first, !value.isEmpty else { throw .signature(.missing) }
        return value
    }

    static func equal(_ code: HMAC<SHA256>.MAC, _ given: [UInt8]) -> Bool {
        unsafe code.withUnsafeBytes { left in
            unsafe given.withUnsafeBytes { right in unsafe Secret.equal(left, right) }
        }
    }

    /// 64 lowercase digits.
    private static func bytes(hex: Substring.UTF8View) -> [UInt8]? {
        guard hex.count == 64 else { return nil }
        var bytes: [UInt8] = []
        var high: UInt8?
        for digit in hex {
            let value: UInt8
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = digit - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = digit - UInt8(ascii: "a") + 10
            default: return nil
            }
            if let first = high { bytes.append(first << 4 | value) }
            high = high == nil ? value : nil
        }
        return bytes
    }
}
