// FileContent: a file as GitHub's and Gitea's contents routes give it: base64 in JSON, with what it is.

package import Exchange

package enum FileContent {
    /// Bytes; job files are some kilobytes.
    package static let most = 1 << 20

    /// - Throws: `.missing` for a folder (which is a list), a link or a submodule: at this path there is no file.
    package static func read(_ answer: ExchangeAnswer) throws(ForgeProblem) -> [UInt8] {
        if answer.body.first(where: { ![0x20, 0x0A, 0x0D, 0x09].contains($0) }) == UInt8(ascii: "[") { throw .missing }
        let fields = try Fields(answer)
        guard try fields.word("type") == "file" else { throw .missing }
        let size = try fields.number("size")
        guard size <= UInt64(most) else { throw .tooMuch }
        guard try fields.word("encoding") == "base64" else { throw .field("encoding") }
        guard let bytes = base64(try fields.text("content")), bytes.count == Int(size) else { throw .field("content") }
        return bytes
    }

    /// RFC 4648 with line breaks, as GitHub writes it; nil for anything else.
    package static func base64(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        var (held, bits, letters, padding): (UInt32, UInt32, Int, Int) = (0, 0, 0, 0)
        for letter in text.utf8 where letter != 0x0A && letter != 0x0D {
            letters += 1
            if letter == UInt8(ascii: "=") {
                padding += 1
                continue
            }
            guard padding == 0, let digit = digit(letter) else { return nil }
            (held, bits) = (held << 6 | digit, bits + 6)
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: held >> bits))
                held &= 1 << bits - 1
            }
        }
        return letters % 4 == 0 && padding <= 2 && held == 0 ? bytes : nil
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
