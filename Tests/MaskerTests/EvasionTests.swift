import Masker
import Testing

/// S7: what was tried against other maskers.
@Suite struct EvasionTests {
    private static let secret = "s3cr3t/token+value==\"q\"0123456789"

    private func masker() throws -> Masker {
        let masker = Masker()
        try masker.add { try $0.add(Array(Self.secret.utf8)) }
        return masker
    }

    private func masked(_ pieces: [ArraySlice<UInt8>]) throws -> String {
        String(decoding: try masker().all(pieces), as: UTF8.self)
    }

    private func masked(_ text: String) throws -> String { try masked([Array(text.utf8)[...]]) }

    @Test func writesOfOneByte() throws {
        let text = Array("before \(Self.secret) after \(Self.secret)".utf8)
        #expect(try masked(text.indices.map { text[$0...$0] }) == "before *** after ***")
    }

    /// The engine cuts what a container writes into frames of 16 KiB.
    @Test func acrossFramesOf16KiB() throws {
        let secret = Array(Self.secret.utf8)
        for before in (16_384 - secret.count)...16_384 {
            let text = [UInt8](repeating: 46, count: before) + secret + [UInt8](repeating: 46, count: 20_000)
            let frames = stride(from: 0, to: text.count, by: 16_384).map { text[$0..<min($0 + 16_384, text.count)] }
            let output = try masker().all(frames)
            let expected = [UInt8](repeating: 46, count: before) + Array("***".utf8)
            #expect(output == expected + [UInt8](repeating: 46, count: 20_000))
        }
    }

    @Test func base64AtEachAlignment() throws {
        for before in ["", "x", "xy", "user:", "user:p"] {
            let whole = Reference.encoded(Array((before + Self.secret + "\n").utf8))
            let output = try masked([whole[...]])
            #expect(output.count < before.utf8.count * 2 + 10, "\(output)")
            #expect(output.contains("***"))
        }
    }

    @Test func escapes() throws {
        #expect(try masked(#"{"t":"s3cr3t/token+value==\"q\"0123456789"}"#) == #"{"t":"***"}"#)
        #expect(try masked(#"{"t":"s3cr3t\/token+value==\"q\"0123456789"}"#) == #"{"t":"***"}"#)
        #expect(try masked("?t=s3cr3t%2Ftoken%2Bvalue%3D%3D%22q%220123456789&x") == "?t=***&x")
        #expect(try masked("?t=s3cr3t%2ftoken%2bvalue%3d%3d%22q%220123456789&x") == "?t=***&x")
    }

    /// What masking is not for. This is said in the documentation of Patterns, too.
    @Test func notMasked() throws {
        let reversed = String(Self.secret.reversed())
        #expect(try masked(reversed) == reversed)
        let xored = String(decoding: Self.secret.utf8.map { $0 ^ 1 }, as: UTF8.self)
        #expect(try masked(xored) == xored)
        let spaced = Self.secret.map(String.init).joined(separator: " ")
        #expect(try masked(spaced) == spaced)
    }

    @Test func withoutValuesNothingIsMaskedOrHeld() {
        let masker = Masker()
        #expect(masker.mask(Array(Self.secret.utf8)) == Array(Self.secret.utf8))
        #expect(masker.point == Masker.Point())
    }
}
