// Glob: which names a pattern means, against a second matcher that tries everything, and what it costs.

import ProjectModel
import Testing
import TrustModel

struct GlobTests {
    @Test(arguments: [
        ("main", "main"), ("*", "main"), ("*", ""), ("release/*", "release/1.0"), ("release/*", "release/"),
        ("v?.?", "v1.2"), ("**", "a/b/c"), ("**", ""), ("src/**", "src/a/b.c"), ("src/**", "src/"),
        ("**/x", "x"), ("**/x", "a/x"), ("**/x", "a/b/x"), ("a/**/x", "a/x"), ("a/**/x", "a/b/c/x"),
        ("**/*.md", "README.md"), ("**/*.md", "docs/a/b.md"), ("*.md", ".md"), ("a**b", "a/x/b"), ("a**b", "ab"),
        ("***", "a/b"), ("?", "ä"), ("?", "\u{1F600}"), ("**/a/**/b", "a/b"), ("**/a/**/b", "x/a/a/y/b"),
        ("*a*b*c", "aabbcabc"), ("$(x);`y`", "$(x);`y`"), ("a+b|c", "a+b|c"), ("(a)^$.", "(a)^$."),
    ]) func matches(_ pattern: String, _ text: String) {
        #expect(Glob(pattern).matches(text))
    }

    @Test(arguments: [
        ("main", "Main"), ("main", "main2"), ("main", "xmain"), ("main", ""), ("", "a"), ("*", "a/b"),
        ("release/*", "release/a/b"), ("release/*", "release"), ("?", "/"), ("?", ""), ("?", "ab"), ("src/**", "src"),
        ("src/**", "srcs/a"), ("**/x", "ax"), ("**/x", "a/xb"), ("a/**/x", "ax"), ("a/**/x", "a/bx"),
        ("*.md", "a/b.md"), ("main", "refs/heads/main"), ("main", "main\n"), ("main", "main\0"), ("main", " main"),
        // What looks the same is not.
        ("main", "m\u{430}in"), ("main", "mai\u{6E}\u{200B}"), ("main", "\u{FF4D}ain"),
        ("caf\u{E9}", "cafe\u{301}"), ("cafe\u{301}", "caf\u{E9}"), ("main", "main\u{301}"), ("?", "e\u{301}"),
    ]) func doesNotMatch(_ pattern: String, _ text: String) {
        #expect(!Glob(pattern).matches(text))
    }

    /// Every pattern of up to five and every text of up to five characters of a small alphabet.
    @Test func everySmallOneAgreesWithTheSlowMatcher() {
        let texts = words(of: ["a", "/"], upTo: 6)
        for pattern in words(of: ["a", "/", "*", "?"], upTo: 5) {
            let glob = Glob(pattern)
            for text in texts where glob.matches(text) != slow(Substring(pattern), Substring(text), atFolder: true) {
                Issue.record("\(pattern) and \(text): \(glob.matches(text))")
            }
        }
    }

    private func words(of letters: [String], upTo length: Int) -> [String] {
        var all = [""]
        var last = all
        for _ in 0..<length {
            last = last.flatMap { word in letters.map { word + $0 } }
            all += last
        }
        return all
    }

    /// The definition, tried out: exponential, and short.
    private func slow(_ pattern: Substring, _ text: Substring, atFolder: Bool) -> Bool {
        guard let first = pattern.first else { return text.isEmpty }
        let stars = pattern.prefix { $0 == "*" }.count
        if stars >= 2 {
            let rest = pattern.dropFirst(stars)
            if atFolder, rest.first == "/" {
                let behind = rest.dropFirst()
                if slow(behind, text, atFolder: true) { return true }
                return text.indices.contains {
                    text[$0] == "/" && slow(behind, text[text.index(after: $0)...], atFolder: true)
                }
            }
            return (text.indices + [text.endIndex]).contains { slow(rest, text[$0...], atFolder: false) }
        }
        if stars == 1 {
            let folder = text.prefix { $0 != "/" }
            return (folder.indices + [folder.endIndex]).contains {
                slow(pattern.dropFirst(), text[$0...], atFolder: false)
            }
        }
        guard let letter = text.first, first == "?" ? letter != "/" : letter == first else { return false }
        return slow(pattern.dropFirst(), text.dropFirst(), atFolder: first == "/")
    }

    /// Tried out, this would end after the sun does.
    @Test func aPatternThatIsMadeToHurtDoesNot() {
        let pattern = Glob(String(repeating: "*a**b", count: 50) + "c")
        #expect(!pattern.matches(String(repeating: "ab", count: 2_000)))
        #expect(pattern.matches(String(repeating: "ab", count: 2_000) + "c"))
    }

    @Test func whatIsTooLongForGitMatchesNothing() {
        #expect(Glob("**").matches(String(repeating: "a", count: Glob.longestText)))
        #expect(!Glob("**").matches(String(repeating: "a", count: Glob.longestText + 1)))
    }

    @Test(arguments: ["", "/a", "[ab]", "{a,b}", "a\\*", "a\nb", "a\0", String(repeating: "a", count: 257)])
    func aMistakeIsTold(_ pattern: String) {
        #expect(Glob.problem(pattern) != nil)
        #expect(Glob.problem("release/**") == nil)
    }

    @Test func filters() {
        let all = Patterns()
        #expect(all.admit("x") && all.isEmpty)
        let some = Patterns(admitted: [Glob("src/**"), Glob("*.c")], excluded: [Glob("**/*.md")])
        #expect(some.admit("src/a") && some.admit("a.c") && !some.admit("src/a.md") && !some.admit("doc/a"))
        let others = Patterns(excluded: [Glob("docs/**")])
        #expect(others.admit("src/a") && !others.admit("docs/a"))
    }
}
