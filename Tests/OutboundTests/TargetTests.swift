// Paths and servers: what strangers named stays one piece of them.

import Exchange
import Testing

@Suite struct TargetTests {
    @Test func piecesStayPieces() throws {
        let target = try RequestTarget("/repos").segment("a/b c").path("x/ü").query("ref", "a&b=c#d")
            .query("page", "2")
        #expect(target.text == "/repos/a%2Fb%20c/x/%C3%BC?ref=a%26b%3Dc%23d&page=2")
        #expect(try RequestTarget("").segment("%2e%2e").text == "/%252e%252e")
        #expect(try RequestTarget("").path("a.b/...").text == "/a.b/...")
    }

    @Test(arguments: ["", ".", "..", "a\nb", "a\u{0}", "a\u{7F}"])
    func whatIsNoPieceIsRefused(_ piece: String) {
        #expect(throws: RequestTarget.BadPiece.self) { try RequestTarget("/x").segment(piece) }
        #expect(throws: RequestTarget.BadPiece.self) { try RequestTarget("/x").path("a/\(piece)/b") }
    }

    @Test func originsAreReadInOneWay() throws {
        let origin = try #require(Origin("https://Forge.Example:8443"))
        #expect(origin == Origin(.https, host: "forge.example", port: 8443))
        #expect(origin.text == "https://forge.example:8443")
        #expect(Origin("https://forge.example:443")?.text == "https://forge.example")
        #expect(Origin("http://[::1]:80")?.text == "http://[::1]")
        for text in [
            "forge.example", "https://", "https://a b", "https://a/", "https://a?", "https://u@a", "https://a:0",
            "https://a:65536", "https://a:-1", "https://a:", "https://-a", "https://.a", "ftp://a", "https://a_b",
            "https://a\u{0}", "https://ä",
        ] { #expect(Origin(text) == nil, "\(text)") }
    }

    @Test func theNextPageIsKnownByItsRelation() {
        func has(_ link: String...) -> Bool {
            ExchangeAnswer(status: 200, headers: link.map { HeaderField("Link", $0) }).hasNextPage
        }
        #expect(has(#"<https://a/x?page=2>; rel="next", <https://a/x?page=9>; rel="last""#))
        #expect(has(#"<https://a/x?page=1>; rel="prev",<https://a/x?page=3>; rel=next"#))
        #expect(!has(#"<https://a/x?page=1>; rel="prev""#))
        #expect(!has(#"<https://a/x?rel="next">; rel="last""#))
        #expect(!has())
    }
}
