// Texts in the lengths that forges take, and JSON that says what was meant.

import Documents
import ForgeCalls
import Testing

@Suite struct WordingTests {
    @Test func whatFitsIsLeftAndWhatDoesNotIsCut() {
        #expect(Wording.short("all well", 140) == "all well")
        #expect(Wording.short(String(repeating: "a", count: 140), 140).unicodeScalars.count == 140)
        #expect(Wording.short(String(repeating: "a", count: 141), 140) == String(repeating: "a", count: 137) + "...")
        #expect(Wording.short("one\ntwo\u{1B}[31m", 140) == "one two [31m")
    }

    /// A flag is two code points, a family seven: half of one is another letter.
    @Test func lettersStayWhole() {
        let flags = Wording.short(String(repeating: "🇩🇪", count: 100), 140)
        #expect(flags == String(repeating: "🇩🇪", count: 68) + "...")
        let long = Wording.long(String(repeating: "é", count: 40_000), 65_535)
        #expect(long.utf8.count <= 65_535 && long.hasSuffix("é..."))
        #expect(Wording.long("short", 65_535) == "short")
    }

    @Test func namesAreNotShortened() throws {
        #expect(try Wording.name("ci / test", 255, "x") == "ci / test")
        for name in ["", String(repeating: "a", count: 256), "a\nb"] {
            #expect(throws: ForgeProblem.unusable("x")) { try Wording.name(name, 255, "x") }
        }
    }

    @Test func linksAreLinks() throws {
        #expect(try Wording.link(nil, 255) == nil)
        #expect(try Wording.link("https://ci.example/jobs/1", 255) == "https://ci.example/jobs/1")
        let long = "https://" + String(repeating: "a", count: 300)
        for link in ["javascript:alert(1)", "https://a b", "", "//a", long] {
            #expect(throws: ForgeProblem.unusable("link"), "\(link)") { try Wording.link(link, 255) }
        }
    }

    @Test(arguments: [
        "", "plain", "quote \" and \\", "line\nand\ttab\r\u{0}\u{1F}\u{7F}", "é 🇩🇪 \u{2028}", "</script>",
    ])
    func whatIsWrittenIsRead(_ text: String) throws {
        let written = JSONText.map([
            ("k\"ey", .text(text)), ("n", .number(.max)), ("l", .list([.text(text)])), ("no", nil),
        ])
        let bytes = written.bytes
        let value = try JSONReader.document(bytes, bounds: .init(depth: 4, values: 10))
        guard case .map(let entries) = value.content else {
            Issue.record("no map")
            return
        }
        #expect(entries.map(\.key) == ["k\"ey", "n", "l"])
        #expect(entries[0].value.content == .string(text))
    }

    @Test func base64IsReadAsGitHubWritesIt() {
        #expect(FileContent.base64("aGVsbG8g\nd29ybGQ=\n") == Array("hello world".utf8))
        #expect(FileContent.base64("") == [])
        for text in ["a", "aGVsbG8", "aGVs bG8=", "aGVsbG9=", "=aGV", "aG=V", "a===", "aGVsbG8g!"] {
            #expect(FileContent.base64(text) == nil, "\(text)")
        }
    }
}
