// A server that means no good: too much, too slow, not what it says. Each has a twin that stays within what is allowed.

import Exchange
import Outbound
import Testing

@Suite struct HostileServerTests {
    static func ask(
        _ acts: [LoopbackServer.Act], body: UInt64 = 1 << 20, total: Duration = .seconds(30)
    ) throws -> Asking.Outcome {
        let server = try LoopbackServer { _ in acts }
        return try Asking(server).ask(
            Asking.get(server.origin), limits: TransferLimits(body: body, total: total))
    }

    static func text(_ text: String) -> LoopbackServer.Act { .bytes(Array(text.utf8)) }

    @Test func aBodyWithoutAnEndIsCutOff() throws {
        let start = Self.text("HTTP/1.1 200 X\r\nContent-Type: a/b\r\n\r\n")
        #expect(
            try Self.ask([start, .forever([UInt8](repeating: 65, count: 4096))], body: 100_000).reason == .tooLarge)
        let whole = [start, .bytes([UInt8](repeating: 65, count: 100_000))]
        #expect(try Self.ask(whole, body: 100_000).get().body.count == 100_000)
    }

    @Test func chunksWithoutAnEndAreCutOff() throws {
        let start = Self.text("HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n")
        let chunk = Array(("1000\r\n" + String(repeating: "A", count: 4096) + "\r\n").utf8)
        #expect(try Self.ask([start, .forever(chunk)], body: 100_000).reason == .tooLarge)
        #expect(try Self.ask([start, .bytes(chunk), Self.text("0\r\n\r\n")], body: 100_000).get().body.count == 4096)
    }

    @Test func anAnnouncedLengthThatIsTooMuchIsNotWaitedFor() throws {
        let much = [Self.text("HTTP/1.1 200 X\r\nContent-Length: 100001\r\n\r\n"), .silence]
        #expect(try Self.ask(much, body: 100_000).reason == .tooLarge)
    }

    @Test func anErrorsTextIsShortWhereASinkWaits() throws {
        let server = try LoopbackServer { _ in
            [Self.text("HTTP/1.1 500 X\r\n\r\n"), .forever([UInt8](repeating: 65, count: 4096))]
        }
        let sink = FileSink(-1)
        let limits = TransferLimits(body: 1 << 40, total: .seconds(30))
        #expect(try Asking(server).ask(Asking.get(server.origin), limits: limits, into: sink).reason == .tooLarge)
    }

    @Test func headersWithoutAnEndAreCutOff() throws {
        let start = Self.text("HTTP/1.1 200 X\r\n")
        let line = Array("X-Much: \(String(repeating: "m", count: 1000))\r\n".utf8)
        #expect(try Self.ask([start, .forever(line)]).reason == .headersTooLarge)
        #expect(try Self.ask([start, .bytes(line), Self.text("Content-Length: 0\r\n\r\n")]).get().status == 200)
    }

    @Test func manyShortHeadersAreCutOff() throws {
        #expect(
            try Self.ask([Self.text("HTTP/1.1 200 X\r\n"), .forever(Array("a:b\r\n".utf8))]).reason == .headersTooLarge)
    }

    @Test func interimAnswersWithoutAnEndAreCutOff() throws {
        let interim = Array("HTTP/1.1 103 X\r\nLink: y\r\n\r\n".utf8)
        #expect(try Self.ask([.forever(interim)]).reason == .headersTooLarge)
        let answer = try Self.ask([.bytes(interim), Self.text(http(200, "z"))]).get()
        #expect(answer.status == 200)
        #expect(answer.header("link") == nil)
    }

    @Test func silenceHasAnEnd() throws {
        #expect(try Self.ask([.silence], total: .milliseconds(200)).reason == .timeout)
        let half = [Self.text("HTTP/1.1 200 X\r\nContent-Length: 10\r\n\r\n12345"), .silence]
        let outcome = try Self.ask(half, total: .milliseconds(200))
        #expect(outcome.reason == .timeout)
        #expect(outcome.wasSent == true)
    }

    @Test func whatIsTooSlowHasAnEnd() throws {
        let server = try LoopbackServer { _ in
            [Self.text("HTTP/1.1 200 X\r\nContent-Length: 10\r\n\r\n12345"), .silence]
        }
        var limits = TransferLimits(body: 1 << 20, total: .seconds(3600))
        limits.slowTime = .seconds(1)
        #expect(try Asking(server).ask(Asking.get(server.origin), limits: limits).reason == .timeout)
    }

    @Test func aBodyThatEndsEarlyIsNoAnswer() throws {
        let cut = try Self.ask([Self.text("HTTP/1.1 200 X\r\nContent-Length: 10\r\n\r\n12345")])
        guard case .transfer? = cut.reason else {
            Issue.record("\(cut)")
            return
        }
        #expect(cut.wasSent == true)
        let chunked = "HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n"
        #expect(try Self.ask([Self.text(chunked)]).reason != nil)
        #expect(try Self.ask([Self.text(chunked + "0\r\n\r\n")]).get().body == Array("12345".utf8))
    }

    /// What follows the answer would be the answer to the next request.
    @Test func whatFollowsAnAnswerIsNotTheNextOne() throws {
        let server = try LoopbackServer { request in
            let isFirst = request.hasPrefix("GET /first ")
            return [Self.text(http(200, isFirst ? "one" : "two") + (isFirst ? http(200, "smuggled") : "")), .keep]
        }
        let asking = try Asking(server)
        #expect(try asking.ask(Asking.get(server.origin, "/first")).get().body == Array("one".utf8))
        #expect(try asking.ask(Asking.get(server.origin, "/second")).get().body == Array("two".utf8))
    }

    /// A connection that was kept and dies under a request: whether it was heard nobody knows.
    @Test func whatMayHaveBeenHeardIsNotSaidTwice() throws {
        let server = try LoopbackServer { request in
            request.hasPrefix("GET") ? [Self.text(http(200)), .keep] : []
        }
        let asking = try Asking(server)
        _ = try asking.ask(Asking.get(server.origin)).get()
        let post = ExchangeRequest(.post, server.origin, RequestTarget("/"), body: [65], credential: nil)
        #expect(try asking.ask(post).wasSent == true)
        #expect(server.requests.filter { $0.hasPrefix("POST") }.count == 1)
    }

    @Test func whatIsNotHTTPIsNoAnswer() throws {
        for text in ["SSH-2.0-OpenSSH\r\n", "<html>", "HTTP/1.1\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", ""] {
            #expect(try Self.ask([Self.text(text)]).reason != nil, "\(text)")
        }
    }

    @Test func cookiesAreForgotten() throws {
        let server = try LoopbackServer { _ in [Self.text(http(200, headers: ["Set-Cookie: who=me; Path=/"])), .keep] }
        let asking = try Asking(server)
        for _ in 0..<2 { _ = try asking.ask(Asking.get(server.origin)).get() }
        #expect(server.requests.count == 2)
        #expect(!server.requests[1].lowercased().contains("cookie"))
    }
}
