// The checks that are measured: each with a guess that is wrong from the first byte on, and one that is wrong only in
// the last.

import Crypto
import Deliveries
import Secret
import Signatures

struct Check {
    let name: String
    let isControl: Bool
    let classes: [() throws -> Void]

    private static let key = "a key of thirty-two characters.."
    private static let body = (0..<64).map { UInt8($0) }

    static func all() throws -> [Check] {
        let code = Array(HMAC<SHA256>.authenticationCode(for: body, using: SymmetricKey(data: Array(key.utf8))))
        let hex = code.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        let guesses = [0, 63].map { changed(hex, $0) }
        let tokens = [0, 31].map { changed(key, $0) }
        return [
            Check(
                name: "GitHub's signature", isControl: false,
                classes: try guesses.map { guess in
                    let raw = delivery([("X-Hub-Signature-256", "sha256=\(guess)")])
                    let key = try secret()
                    return { try refused { () throws(Refusal) in try Signatures.github(raw, key: key.value) } }
                }),
            Check(
                name: "Gitea's signature", isControl: false,
                classes: try guesses.map { guess in
                    let raw = delivery([("X-Gitea-Event", "push"), ("X-Gitea-Signature", guess)])
                    let key = try secret()
                    return { try refused { () throws(Refusal) in try Signatures.gitea(raw, key: key.value) } }
                }),
            Check(
                name: "GitLab's token", isControl: false,
                classes: try tokens.map { guess in
                    let raw = delivery([("X-Gitlab-Token", guess)])
                    let key = try secret()
                    return { try refused { () throws(Refusal) in try Signatures.gitlab(raw, token: key.value) } }
                }),
            Check(
                name: "a comparison that stops early", isControl: true,
                classes: tokens.map { guess in { if stopsEarly(guess, key) { throw Failed(description: "equal") } } }),
        ]
    }

    @inline(never) private static func stopsEarly(_ one: String, _ other: String) -> Bool {
        for (left, right) in zip(one.utf8, other.utf8) where left != right { return false }
        return one.utf8.count == other.utf8.count
    }

    private static func refused(_ body: () throws(Refusal) -> Delivery) throws {
        do throws(Refusal) {
            _ = try body()
        } catch .signature(.wrong) {
            return
        }
        throw Failed(description: "a wrong signature was taken")
    }

    private static func delivery(_ fields: [(name: String, value: String)]) -> RawDelivery {
        RawDelivery(headers: Headers(fields), body: body)
    }

    /// With another digit or letter at `index`.
    private static func changed(_ text: String, _ index: Int) -> String {
        var letters = Array(text.utf8)
        letters[index] = letters[index] == 0x61 ? 0x62 : 0x61
        return String(decoding: letters, as: UTF8.self)
    }

    /// A secret that a closure can hold.
    private final class Held {
        let value: Secret
        init(_ value: consuming Secret) { self.value = value }
    }

    private static func secret() throws -> Held {
        var secret = try Secret(capacity: key.utf8.count)
        try Array(key.utf8).withUnsafeBytes { try secret.append($0) }
        return Held(secret)
    }
}
