// The published vectors: what brokerd seals with another library must open here.

import CNettle
import RunnerCore
import Testing
import Wire

@Suite struct CryptoTests {
    static func bytes(_ hex: String) -> [UInt8] {
        let digits = hex.filter { !$0.isWhitespace }.compactMap { $0.hexDigitValue }
        return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    static func wiped(_ bytes: [UInt8]) throws -> WipedBytes {
        let memory = try #require(WipedBytes(count: bytes.count))
        memory.withMutableBytes { $0.copyBytes(from: bytes) }
        return memory
    }

    /// RFC 8439, 2.8.2 and A.5.
    @Test(arguments: [
        (
            "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f", "070000004041424344454647",
            "50515253c0c1c2c3c4c5c6c7",
            """
            d31a8d34648e60db7b86afbc53ef7ec2 a4aded51296e08fea9e2b5a736ee62d6 3dbea45e8ca9671282fafb69da92728b
            1a71de0a9e060b2905d6a5b67ecd3b36 92ddbd7f2d778b8c9803aee328091b58 fab324e4fad675945585808b4831d7bc
            3ff4def08e4b7a9de576d26586cec64b 6116
            """, "1ae10b594f09e26a7e902ecbd0600691", "Ladies and Gentlemen of the class of '99: If I could offer"
        ),
        (
            "1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0", "000000000102030405060708",
            "f33388860000000000004e91",
            """
            64a0861575861af460f062c79be643bd 5e805cfd345cf389f108670ac76c8cb2 4c6cfc18755d43eea09ee94e382d26b0
            bdb7b73c321b0100d4f03b7f355894cf 332f830e710b97ce98c8a84abd0b9481 14ad176e008d33bd60f982b1ff37c855
            9797a06ef4f0ef61c186324e2b350638 3606907b6a7c02b0f9f6157b53c867e4 b9166c767b804d46a59b5216cde7a4e9
            9040c5a40433225ee282a1b0a06c523e af4534d7f83fa1155b0047718cbc546a 0d072b04b3564eea1b422273f548271a
            0bb2316053fa76991955ebd63159434e cebb4e466dae5a1073a6727627097a10 49e617d91d361094fa68f0ff77987130
            305beaba2eda04df997b714d6c6f2c29 a6ad5cb4022b02709b
            """, "eead9d67890cbb22392336fea1851f38", "Internet-Drafts are draft documents valid for a maximum of"
        ),
    ])
    func opensWhatTheRFCSealed(
        key: String, nonce: String, associated: String, ciphertext: String, tag: String, beginning: String
    ) throws {
        let sealed = Self.bytes(nonce) + Self.bytes(ciphertext) + Self.bytes(tag)
        let secret = try Self.wiped(Self.bytes(key))
        let plain = GrantSeal.open(sealed, key: secret, associated: Self.bytes(associated))
        let text = plain?.withBytes { String(decoding: $0.prefix(beginning.utf8.count), as: UTF8.self) }
        #expect(text == beginning)
        #expect(GrantSeal.open(sealed, key: secret, associated: []) == nil)
    }

    /// FIPS 180-4's examples.
    @Test(arguments: [
        ("", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (String(repeating: "a", count: 1000), 1000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
    ])
    func hashes(text: String, times: Int, expected: String) {
        var digest = Digest()
        for _ in 0..<times { digest.update(Array(text.utf8)[...]) }
        #expect(digest.finish().hex == expected)
    }

    @Test func wherePiecesAreCutDoesNotMatter() {
        let all = (0..<1000).map { UInt8(truncatingIfNeeded: $0 * 7) }
        for cut in [0, 1, 63, 64, 65, 500, 1000] {
            var digest = Digest()
            digest.update(all[..<cut])
            digest.update(all[cut...])
            #expect(digest.finish() == Digest.of(all))
        }
    }
}
