// The token with which a job speaks for itself: "bj1.<job>.<attempt>.<epoch>.<generation>.<64 hex: HMAC of what is
// before it>". Nothing is kept for it: it is good while the grant of its attempt lives, and made again whenever it is
// to be masked.

package import Crypto
import FoundationEssentials
package import Secret
package import Wire

/// Makes and reads job tokens with one key.
package struct JobTokens {
    package static let prefix = "bj1."
    /// The most bytes of a token (GrantBody's bound).
    static let limit = 160

    private let key: SymmetricKey
    private let generation: UInt32

    package init(key: SymmetricKey, generation: UInt32) {
        self.key = key
        self.generation = generation
    }

    /// The token of an attempt, in ASCII.
    package func token(of attempt: Attempt) throws(SecretError) -> Secret {
        let said = Array(
            "\(Self.prefix)\(attempt.job).\(attempt.attempt).\(attempt.epoch).\(generation)".utf8)
        var token = try Secret(capacity: Self.limit)
        try token.append(said)
        try token.append(UInt8(ascii: "."))
        for byte in HMAC<SHA256>.authenticationCode(for: said, using: key) {
            try token.append(Self.digit(byte >> 4))
            try token.append(Self.digit(byte & 15))
        }
        return token
    }

    /// Whose token this is, under the present master key. nil: nobody's. Whether it lives is another question.
    package func attempt(of text: String) -> Attempt? {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 6, let code = Bytes32(hex: String(decoding: parts[5], as: UTF8.self)) else { return nil }
        let said = Array(text.utf8.dropLast(65))
        guard HMAC<SHA256>.isValidAuthenticationCode(code.array, authenticating: said, using: key) else { return nil }
        let numbers = parts[1...4].map { String(decoding: $0, as: UTF8.self) }
        guard let job = UInt64(numbers[0]), let attempt = UInt32(numbers[1]), let epoch = UInt64(numbers[2]),
            UInt32(numbers[3]) == generation
        else { return nil }
        return Attempt(job: job, attempt: attempt, epoch: epoch)
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }
}
