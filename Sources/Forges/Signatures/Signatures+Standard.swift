// GitLab's signing token, as the Standard Webhooks specification has it: over an id and a time as well.

import Crypto
package import Deliveries
package import Secret

extension Signatures {
    /// Seconds by which the time of a signature may differ from ours.
    private static let tolerance: Int64 = 300
    /// Signatures in one header: while a key is replaced there are two.
    private static let most = 4

    /// `webhook-signature: v1,<base64> ...` over `id.timestamp.body`; one of them has to match. The key is kept as
    /// GitLab shows it, `whsec_<base64>`.
    package static func gitlab(
        _ raw: RawDelivery, signingToken: borrowing Secret, now: Int64
    ) throws(Refusal) -> Delivery {
        let signatures = try one("webhook-signature", of: raw).utf8.split(separator: UInt8(ascii: " "))
        let id = try one("webhook-id", of: raw)
        let time = try one("webhook-timestamp", of: raw)
        // With a point in the id the same bytes could be read as another id and another time.
        guard id.utf8.count <= 128, !id.utf8.contains(UInt8(ascii: ".")), time.utf8.count <= 12,
            time.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let seconds = Int64(time),
            signatures.count <= most
        else { throw .signature(.malformed) }
        if abs(now - seconds) > tolerance { throw .signature(.old) }

        var code = HMAC<SHA256>(key: try key(signingToken))
        code.update(data: Array("\(id).\(time).".utf8))
        code.update(data: raw.body)
        let wanted = code.finalize()
        var isGenuine = false
        for signature in signatures where signature.starts(with: "v1,".utf8) {
            guard let given = Base64.bytes(signature.dropFirst(3)) else { throw .signature(.malformed) }
            if equal(wanted, given) { isGenuine = true }
        }
        guard isGenuine else { throw .signature(.wrong) }
        return Delivery(verified: raw)
    }

    private static func key(_ token: borrowing Secret) throws(Refusal) -> SymmetricKey {
        let key: SymmetricKey? = unsafe token.withBytes { bytes in
            guard unsafe bytes.starts(with: "whsec_".utf8), var decoded = unsafe Base64.bytes(bytes.dropFirst(6)) else {
                return nil
            }
            defer { unsafe decoded.withUnsafeMutableBytes { unsafe Secret.overwrite($0) } }
            // The specification's least.
            return decoded.count >= 24 ? SymmetricKey(data: decoded) : nil
        }
        guard let key else { throw .signature(.noKey) }
        return key
    }
}

/// RFC 4648, padded, and each text of which there is one.
enum Base64 {
    static func bytes(_ text: some BidirectionalCollection<UInt8>) -> [UInt8]? {
        let padding = text.suffix(2).reversed().prefix { $0 == UInt8(ascii: "=") }.count
        guard !text.isEmpty, text.count % 4 == 0 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 4 * 3)
        var (held, bits): (UInt32, UInt32) = (0, 0)
        for letter in text.dropLast(padding) {
            guard let digit = digit(letter) else { return nil }
            (held, bits) = (held << 6 | digit, bits + 6)
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: held >> bits))
                held &= 1 << bits - 1
            }
        }
        return held == 0 ? bytes : nil
    }

    private static func digit(_ letter: UInt8) -> UInt32? {
        switch letter {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(letter - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(letter - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(letter - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
