// What strangers write must not steer the terminal of the one who looks.

import BulkheadCLI
import Foundation
import Testing

@Suite struct TerminalTests {
    @Test(arguments: [
        "\u{1B}[2J", "a\rb", "a\u{9B}31m", "\u{202E}evil", "\u{200B}x", "\u{7}", "a\u{2028}b", "\u{2029}",
        "a\u{3164}", "\u{115F}", "\u{1160}", "\u{FFA0}", "\u{2800}", "a\u{34F}b", "\u{17B4}", "\u{17B5}",
        "a\u{FE0F}", "a\u{E0100}", "a\u{A0}b", "\u{E000}", "a" + String(repeating: "\u{301}", count: 5),
    ])
    func controlCharactersAreReplaced(_ text: String) {
        let shown = Terminal.printable(text)
        #expect(shown.contains("\u{FFFD}"))
        #expect(
            !shown.unicodeScalars.contains { scalar in
                let kind = scalar.properties.generalCategory
                return [.control, .format, .lineSeparator, .paragraphSeparator].contains(kind)
            })
    }

    @Test func plainTextStays() {
        #expect(Terminal.printable("Grüße, 世界 🙂") == "Grüße, 世界 🙂")
        let stacked = "a" + String(repeating: "\u{301}", count: 4) + " b" + "\u{301}"
        #expect(Terminal.printable(stacked) == stacked)
    }

    /// It is data, so it says the same.
    @Test func jsonIsEscapedWhereItWouldSteer() throws {
        let text = "{\"name\":\"a\u{9B}31m \u{7F} \u{202E}b \u{E0001} ü\"}\n"
        let safe = Terminal.safe(json: text)
        #expect(safe == "{\"name\":\"a\\u009b31m \\u007f \\u202eb \\udb40\\udc01 ü\"}\n")
        let names = try [text, safe].map { try JSONDecoder().decode([String: String].self, from: Data($0.utf8)) }
        #expect(names[0] == names[1])
    }
}
