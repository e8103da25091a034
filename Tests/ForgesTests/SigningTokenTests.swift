// GitLab's signing token, after the Standard Webhooks specification.

import Crypto
import Deliveries
import Foundation
import Secret
import Signatures
import Testing

struct SigningTokenTests {
    private static let key = Data((0..<32).map { UInt8($0 &* 7 &+ 3) })
    private static let token = "whsec_" + key.base64EncodedString()
    private static let body = Array(#"{"object_kind":"push"}"#.utf8)
    private static let now: Int64 = 1_772_360_000

    private static func signature(id: String, time: String, key: Data = key) -> String {
        let code = HMAC<SHA256>.authenticationCode(
            for: Array("\(id).\(time).".utf8) + body, using: SymmetricKey(data: key))
        return "v1," + Data(code).base64EncodedString()
    }

    private func check(
        _ signatures: [String], id: String = "msg-1", time: String = String(now), token: String = token,
        at now: Int64 = now
    ) throws -> Delivery {
        let fields = [("webhook-id", id), ("webhook-timestamp", time)] + signatures.map { ("webhook-signature", $0) }
        return try Signatures.gitlab(
            RawDelivery(headers: Headers(fields.map { (name: $0.0, value: $0.1) }), body: Self.body),
            signingToken: try Secret.of(token), now: now)
    }

    private let good = signature(id: "msg-1", time: String(now))

    @Test func oneOfSeveralIsEnough() {
        let wrong = Self.signature(id: "msg-1", time: String(Self.now), key: Data(count: 32))
        #expect(throws: Never.self) { try check([good]) }
        #expect(throws: Never.self) { try check(["\(wrong) \(good)"]) }
        #expect(throws: Never.self) { try check(["v1a,AAAA \(good) \(wrong)"]) }
        #expect(throws: Refusal.signature(.wrong)) { try check([wrong]) }
        #expect(throws: Refusal.signature(.wrong)) { try check(["\(wrong) \(wrong)"]) }
        #expect(throws: Refusal.signature(.wrong)) { try check(["v2" + good.dropFirst(2)]) }
        #expect(throws: Refusal.signature(.malformed)) { try check([good + String(repeating: " " + good, count: 4)]) }
        #expect(throws: Refusal.signature(.repeated)) { try check([good, good]) }
        #expect(throws: Refusal.signature(.missing)) { try check([]) }
        #expect(throws: Refusal.signature(.missing)) { try check([""]) }
    }

    /// Each value has one text: unused bits are zeros, and the padding is there.
    @Test func base64IsStrict() throws {
        let last = try #require(good.dropLast().last)
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        let index = try #require(letters.firstIndex(of: last))
        let sloppy = good.dropLast(2) + String(letters[index + 1]) + "="
        for value in [
            String(sloppy), String(good.dropLast()), good + "=", "v1,", good.replacingOccurrences(of: "=", with: "_"),
            "v1," + good.dropFirst(3).replacingOccurrences(of: "=", with: "===="), good + "\n",
        ] {
            #expect(throws: Refusal.signature(.malformed), "\(value)") { try check([value]) }
        }
    }

    @Test func theTimeIsSignedAndNear() {
        func at(_ difference: Int64) throws -> Delivery {
            let time = String(Self.now + difference)
            return try check([Self.signature(id: "msg-1", time: time)], time: time)
        }
        #expect(throws: Never.self) { try at(-300) }
        #expect(throws: Never.self) { try at(300) }
        #expect(throws: Refusal.signature(.old)) { try at(-301) }
        #expect(throws: Refusal.signature(.old)) { try at(301) }
        #expect(throws: Refusal.signature(.wrong)) { try check([good], time: String(Self.now + 1)) }
        for time in ["", "+\(Self.now)", "-1", "\(Self.now).0", " \(Self.now)", "1e9", "9999999999999", "０"] {
            #expect(throws: Refusal.self, "\(time)") {
                try check([Self.signature(id: "msg-1", time: time)], time: time)
            }
        }
    }

    @Test func theIdIsSignedAndHasNoPoint() {
        #expect(throws: Refusal.signature(.wrong)) { try check([good], id: "msg-2") }
        let id = "msg.1"
        #expect(throws: Refusal.signature(.malformed)) {
            try check([Self.signature(id: id, time: String(Self.now))], id: id)
        }
        #expect(throws: Refusal.signature(.missing)) { try check([good], id: "") }
    }

    @Test(arguments: [
        "", "whsec_", "whsec_AAAA", "x", "whsec_\(String(repeating: "A", count: 43))!", key.base64EncodedString(),
    ])
    func isNoKey(_ token: String) {
        #expect(throws: Refusal.signature(.noKey)) { try check([good], token: token) }
    }
}
