// W2: what is a signature, and all that is none.

import Crypto
import Deliveries
import Foundation
import Secret
import Signatures
import Testing

struct SignatureTests {
    private static let key = "It's a Secret to Everybody"
    private static let body = Array("Hello, World!".utf8)
    private static let hex = Samples.hex(key, body)

    private typealias Fields = [(name: String, value: String)]

    private func github(_ fields: Fields, key: String = key, body: [UInt8] = body) throws -> Delivery {
        try Signatures.github(RawDelivery(headers: Headers(fields), body: body), key: try Secret.of(key))
    }

    @Test func theDocumentedVector() throws {
        let documented = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
        #expect(Self.hex == documented)
        let delivery = try github([("X-Hub-Signature-256", "sha256=\(documented)")])
        #expect(delivery.body == Self.body)
        // Names of headers have no case.
        #expect(throws: Never.self) { try github([("x-hub-SIGNATURE-256", "sha256=\(documented)")]) }
    }

    struct Bad: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let fields: [(name: String, value: String)]
        let refusal: Refusal.Signature

        init(_ what: String, _ values: [String], _ refusal: Refusal.Signature, name: String = "X-Hub-Signature-256") {
            testDescription = what
            fields = values.map { (name, $0) }
            self.refusal = refusal
        }
    }

    private static let name = "X-Hub-Signature-256"
    private static let good = "sha256=" + hex
    private static let sha1 =
        "sha1="
        + Insecure.SHA1.hash(data: body).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()

    static let bad: [Bad] = [
        Bad("none", [], .missing),
        Bad("empty", [""], .missing),
        Bad("a blank", [" "], .malformed),
        Bad("SHA-1 alone", [sha1], .missing, name: "X-Hub-Signature"),
        Bad("SHA-1 in its place", [sha1], .malformed),
        Bad("SHA-256 in the old place", [good], .missing, name: "X-Hub-Signature"),
        Bad("Gitea's header", [hex], .missing, name: "X-Gitea-Signature"),
        Bad("another name", [good], .missing, name: "X-Hub-Signature-256 "),
        Bad("an underscore", [good], .missing, name: "X_Hub_Signature_256"),
        Bad("no prefix", [hex], .malformed),
        Bad("only the prefix", ["sha256="], .malformed),
        Bad("another prefix", ["sha512=" + hex], .malformed),
        Bad("the prefix in capitals", ["SHA256=" + hex], .malformed),
        Bad("the prefix twice", ["sha256=sha256=" + hex], .malformed),
        Bad("upper case", ["sha256=" + hex.uppercased()], .malformed),
        Bad("one letter in upper case", ["sha256=" + hex.dropLast(2) + "E7"], .malformed),
        Bad("one digit less", [String(good.dropLast())], .malformed),
        Bad("two digits less", [String(good.dropLast(2))], .malformed),
        Bad("half", [String(good.prefix(39))], .malformed),
        Bad("one digit more", [good + "0"], .malformed),
        Bad("two digits more", [good + "00"], .malformed),
        Bad("twice as long", [good + hex], .malformed),
        Bad("the last digit", [good.dropLast() + "8"], .wrong),
        Bad("the first digit", ["sha256=0" + hex.dropFirst()], .wrong),
        Bad("zeros", ["sha256=" + String(repeating: "0", count: 64)], .wrong),
        Bad("effs", ["sha256=" + String(repeating: "f", count: 64)], .wrong),
        Bad("backwards", ["sha256=" + String(hex.reversed())], .wrong),
        Bad("of an empty key", ["sha256=" + Samples.hex("", body)], .wrong),
        Bad("of another key", ["sha256=" + Samples.hex("it's a Secret to Everybody", body)], .wrong),
        Bad("of an empty body", ["sha256=" + Samples.hex(key, [])], .wrong),
        Bad("of the body with a line end", ["sha256=" + Samples.hex(key, body + [10])], .wrong),
        Bad("of a form with the body", ["sha256=" + Samples.hex(key, Array("payload=".utf8) + body)], .wrong),
        Bad("a bare hash of the body", ["sha256=" + SHA256.hash(data: body).hex], .wrong),
        Bad("no digit", ["sha256=g" + hex.dropFirst()], .malformed),
        Bad("a NUL", ["sha256=\0" + hex.dropFirst()], .malformed),
        Bad("full-width digits", ["sha256=" + hex.map { $0 == "7" ? "７" : String($0) }.joined()], .malformed),
        Bad("a blank in front", [" " + good], .malformed),
        Bad("a blank behind", [good + " "], .malformed),
        Bad("quotes", ["\"\(good)\""], .malformed),
        Bad("two, the same", [good, good], .repeated),
        Bad("two, the first wrong", ["sha256=" + String(repeating: "0", count: 64), good], .repeated),
        Bad("two, the second wrong", [good, "sha256="], .repeated),
        Bad("two, one empty", ["", good], .repeated),
        Bad("two in one", ["\(good), \(good)"], .malformed),
        Bad("a list", ["sha256=\(String(repeating: "0", count: 64)),\(good)"], .malformed),
        Bad("base64", ["sha256=" + Data(hex.utf8).base64EncodedString().prefix(64)], .malformed),
    ]

    @Test(arguments: bad) func isRefused(_ bad: Bad) {
        #expect(throws: Refusal.signature(bad.refusal)) { try github(bad.fields) }
    }

    @Test func aMissingKeyIsNoKey() {
        let signed = Samples.hex("", Self.body)
        #expect(throws: Refusal.signature(.noKey)) { try github([(Self.name, "sha256=\(signed)")], key: "") }
        let raw = RawDelivery(
            headers: Headers([("X-Gitea-Event", "push"), ("X-Gitea-Signature", signed)]), body: Self.body)
        #expect(throws: Refusal.signature(.noKey)) { try Signatures.gitea(raw, key: try Secret.of("")) }
        let plain = RawDelivery(headers: Headers([("X-Gitlab-Token", "x")]), body: Self.body)
        #expect(throws: Refusal.signature(.noKey)) { try Signatures.gitlab(plain, token: try Secret.of("")) }
        let empty = RawDelivery(headers: Headers([("X-Gitlab-Token", "")]), body: Self.body)
        #expect(throws: Refusal.signature(.missing)) { try Signatures.gitlab(empty, token: try Secret.of("x")) }
    }

    @Test func eachBitOfABodyCounts() throws {
        for bit in 0..<(Self.body.count * 8) {
            var body = Self.body
            body[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: Refusal.signature(.wrong)) { try github([(Self.name, Self.good)], body: body) }
        }
    }

    @Test func aBodyAboveTheLimitIsNotHashed() {
        let body = [UInt8](repeating: 32, count: RawDelivery.maxBytes + 1)
        #expect(throws: Refusal.tooLarge) { try github([(Self.name, Self.good)], body: body) }
    }

    // MARK: Gitea and Forgejo

    private func gitea(_ fields: Fields) throws -> Delivery {
        try Signatures.gitea(RawDelivery(headers: Headers(fields), body: Self.body), key: try Secret.of(Self.key))
    }

    @Test func bareHex() throws {
        let gitea: Fields = [("X-Gitea-Event", "push"), ("X-GitHub-Event", "push")]
        #expect(throws: Never.self) { try self.gitea(gitea + [("X-Gitea-Signature", Self.hex)]) }
        for value in ["", "sha256=" + Self.hex, Self.hex.uppercased(), String(Self.hex.dropLast()), Self.hex + "\n"] {
            #expect(throws: Refusal.self) { try self.gitea(gitea + [("X-Gitea-Signature", value)]) }
        }
        // GitHub's header is there as well, and does not stand in for an empty one.
        #expect(throws: Refusal.signature(.missing)) {
            try self.gitea(gitea + [("X-Gitea-Signature", ""), (Self.name, Self.good)])
        }
        let forgejo = gitea + [("X-Forgejo-Event", "push")]
        #expect(throws: Never.self) { try self.gitea(forgejo + [("X-Forgejo-Signature", Self.hex)]) }
        #expect(throws: Refusal.signature(.missing)) {
            try self.gitea(forgejo + [("X-Gitea-Signature", Self.hex)])
        }
    }

    // MARK: GitLab

    private func token(_ values: [String]) throws -> Delivery {
        try Signatures.gitlab(
            RawDelivery(headers: Headers(values.map { ("X-Gitlab-Token", $0) }), body: Self.body),
            token: try Secret.of(Self.key))
    }

    @Test func theTokenIsTheWholeToken() {
        #expect(throws: Never.self) { try token([Self.key]) }
        #expect(throws: Refusal.signature(.missing)) { try token([]) }
        #expect(throws: Refusal.signature(.repeated)) { try token([Self.key, Self.key]) }
        for value in [
            String(Self.key.dropLast()), Self.key + " ", " " + Self.key, Self.key.lowercased(), Self.key + "\0",
        ] {
            #expect(throws: Refusal.signature(.wrong)) { try token([value]) }
        }
    }
}

extension Sequence<UInt8> {
    var hex: String { map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined() }
}
