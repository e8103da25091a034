// Redirects: refused, but for the one that a request allows, and then without the token.

import Exchange
import Outbound
import Testing

@Suite struct RedirectTests {
    static func leading(to url: String, _ status: Int = 302) throws -> LoopbackServer {
        try LoopbackServer(http(status, headers: ["Location: \(url)"]))
    }

    @Test(arguments: [301, 302, 303, 307, 308])
    func aRedirectIsAnAnswerAndNoMore(_ status: Int) throws {
        let target = try LoopbackServer(http(200, "elsewhere"))
        let server = try Self.leading(to: "http://127.0.0.1:\(target.port)/x", status)
        let answer = try Asking(server, target).ask(Asking.get(server.origin)).get()
        #expect(answer.status == status)
        #expect(target.connections == 0)
    }

    @Test func theAllowedOneIsFollowedWithoutTheToken() throws {
        let target = try LoopbackServer(http(200, "archive"))
        let server = try Self.leading(to: "http://127.0.0.1:\(target.port)/x?y=z")
        let request = Asking.get(server.origin, redirect: target.origin)
        let answer = try Asking(server, target).ask(request).get()
        #expect(answer.body == Array("archive".utf8))
        #expect(server.requests[0].contains(Asking.token))
        #expect(target.requests.count == 1)
        #expect(target.requests[0].hasPrefix("GET /x?y=z HTTP/1.1\r\n"))
        #expect(!target.requests[0].contains(Asking.token))
        #expect(!target.requests[0].contains("Authorization"))
    }

    @Test func anotherPlaceThanTheAllowedOneIsNot() throws {
        let (allowed, other) = (try LoopbackServer(http(200)), try LoopbackServer(http(200)))
        let server = try Self.leading(to: "http://127.0.0.1:\(other.port)/x")
        let request = Asking.get(server.origin, redirect: allowed.origin)
        #expect(try Asking(server, allowed, other).ask(request).get().status == 302)
        #expect(other.connections == 0)
        #expect(allowed.connections == 0)
    }

    @Test func oneRedirectIsAllThereIs() throws {
        let target = try LoopbackServer { _ in
            [.bytes(Array(http(302, headers: ["Location: /again"]).utf8)), .keep]
        }
        let server = try Self.leading(to: "http://127.0.0.1:\(target.port)/x")
        let request = Asking.get(server.origin, redirect: target.origin)
        #expect(try Asking(server, target).ask(request).get().status == 302)
        #expect(target.requests.count == 1)
    }

    @Test func theAllowedOneHasToBeConfigured() throws {
        let target = try LoopbackServer(http(200))
        let server = try Self.leading(to: "http://127.0.0.1:\(target.port)/x")
        let request = Asking.get(server.origin, redirect: target.origin)
        #expect(try Asking(server).ask(request).reason == .unknownOrigin)
        #expect(target.connections == 0)
    }

    @Test(arguments: [
        "http://codeload.example/x", "https://codeload.example:444/x", "https://codeload.example.evil/x",
        "https://evil/codeload.example/x", "https://codeload.example@evil/x", "https://evil@codeload.example/x",
        "//codeload.example/x", "/x", "https://codeload.example", "https://codeload.example/x#y",
        "https://codeload.example/x y", "https://codeload.example\\@evil/x", "HTTPS://codeload.example/x", "",
        "https://codeload.example?x", "ftp://codeload.example/x", "https://codeload.example:/x",
        "https://codeload.example:00443x/x",
    ])
    func onlyTheWholeAllowedAddressIs(_ location: String) {
        #expect(Self.next(location) == nil)
    }

    @Test func theAllowedAddressIsTheAllowedAddress() {
        let next = Self.next("https://CodeLoad.example:443/x?token=1")
        #expect(next?.url == "https://codeload.example/x?token=1")
        #expect(next?.credential == nil)
        #expect(next?.redirects == [])
    }

    @Test func twoLocationsAreNone() {
        let two = ["https://codeload.example/x", "https://codeload.example/x"].map { HeaderField("Location", $0) }
        #expect(Redirect.next(after: ExchangeAnswer(status: 302, headers: two), to: Self.request) == nil)
        let one = ExchangeAnswer(status: 302, headers: Array(two.prefix(1)))
        #expect(Redirect.next(after: one, to: Self.request) != nil)
    }

    static let request = Asking.get(
        Asking.origin("https://api.example"), redirect: Origin(.https, host: "codeload.example"))

    static func next(_ location: String) -> ExchangeRequest? {
        Redirect.next(
            after: ExchangeAnswer(status: 302, headers: [HeaderField("location", location)]), to: request)
    }
}
