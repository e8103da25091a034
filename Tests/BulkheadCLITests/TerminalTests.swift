// What strangers write must not steer the terminal of the one who looks.

import BulkheadCLI
import Testing

@Suite struct TerminalTests {
    @Test(arguments: [
        "\u{1B}[2J", "a\rb", "a\u{9B}31m", "\u{202E}evil", "\u{200B}x", "\u{7}", "a\u{2028}b", "\u{2029}",
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
    }
}
