// What goes out and what comes in, on a good day and on others.

import Exchange
import Files
import Outbound
import Posix
import Testing

@Suite struct ExchangeTests {
    @Test func aRequestIsWhatWasAskedAndTheTokenIsInOneHeader() throws {
        let server = try LoopbackServer(
            http(200, "{}", headers: ["Content-Type: application/json", "X-Some:  value "]))
        let request = ExchangeRequest(
            .post, server.origin, RequestTarget("/api/things?x=1"), headers: [HeaderField("Accept", "a/b")],
            body: Array("hello".utf8), credential: Credential(header: "Authorization", prefix: "token "))
        let answer = try Asking(server).ask(request).get()
        #expect(answer.status == 200)
        #expect(answer.body == Array("{}".utf8))
        #expect(answer.header("x-some") == "value")
        let lines = server.requests[0].split(separator: "\r\n").map(String.init)
        #expect(lines.first == "POST /api/things?x=1 HTTP/1.1")
        #expect(lines.last == "hello")
        #expect(lines.filter { $0.contains(Asking.token) } == ["Authorization: token \(Asking.token)"])
        #expect(lines.contains("Accept: a/b"))
        #expect(!lines.contains { $0.hasPrefix("Expect") || $0.hasPrefix("Content-Type") })
    }

    @Test func withoutACredentialTheTokenStaysHere() throws {
        let server = try LoopbackServer(http(200))
        let request = ExchangeRequest(.get, server.origin, RequestTarget("/"), credential: nil)
        _ = try Asking(server).ask(request).get()
        #expect(server.requests.count == 1)
        #expect(!server.requests[0].contains(Asking.token))
    }

    @Test func anyStatusIsAnAnswer() throws {
        for status in [204, 301, 404, 429, 500] {
            let server = try LoopbackServer(http(status, status == 204 ? "" : "x"))
            #expect(try Asking(server).ask(Asking.get(server.origin)).get().status == status)
        }
    }

    @Test func severalAtOnceAndOneConnectionForSeveral() throws {
        let server = try LoopbackServer { request in
            [.bytes(Array(http(200, String(request.split(separator: " ")[1])).utf8)), .keep]
        }
        let asking = try Asking(server)
        var bodies: [String] = []
        for number in 0..<20 {
            try asking.send(Asking.get(server.origin, "/\(number)")) { outcome in
                bodies.append(String(decoding: (try? outcome.get().body) ?? [], as: UTF8.self))
            }
        }
        while bodies.count < 20 { asking.loop.runPass(waiting: .seconds(1)) }
        #expect(Set(bodies) == Set((0..<20).map { "/\($0)" }))
        #expect(server.connections <= 8)
        #expect(asking.outbound.count == 0)
    }

    @Test func aBodyIsPouredIntoAFile() throws {
        let text = String(repeating: "0123456789", count: 100_000)
        let server = try LoopbackServer(http(200, text))
        let file = try Posix.openTemporary("/tmp")
        let sink = FileSink(file.raw)
        let answer = try Asking(server).ask(Asking.get(server.origin), into: sink).get()
        #expect(answer.body.isEmpty)
        #expect(sink.bytes == 1_000_000)
        #expect(try Posix.fstat(file.raw).size == 1_000_000)
    }

    @Test func anErrorsTextIsNotPoured() throws {
        let server = try LoopbackServer(http(404, "no such archive"))
        let file = try Posix.openTemporary("/tmp")
        let sink = FileSink(file.raw)
        let answer = try Asking(server).ask(Asking.get(server.origin), into: sink).get()
        #expect(String(decoding: answer.body, as: UTF8.self) == "no such archive")
        #expect(sink.bytes == 0)
    }

    @Test func whatASinkDoesNotWantIsNotFetched() throws {
        final class Full: BodySink {
            var pieces = 0
            func take(_ piece: ArraySlice<UInt8>) -> Bool {
                pieces += 1
                return pieces < 3
            }
        }
        let server = try LoopbackServer { _ in
            [.bytes(Array("HTTP/1.1 200 X\r\n\r\n".utf8)), .forever([UInt8](repeating: 7, count: 16_384))]
        }
        let sink = Full()
        let limits = TransferLimits(body: 1 << 40, total: .seconds(30))
        #expect(try Asking(server).ask(Asking.get(server.origin), limits: limits, into: sink).reason == .stopped)
        #expect(sink.pieces == 3)
    }

    @Test func aCancelledOneIsOver() throws {
        let server = try LoopbackServer { _ in [.silence] }
        let asking = try Asking(server)
        var outcome: Asking.Outcome?
        let id = try asking.send(Asking.get(server.origin)) { outcome = $0 }
        while server.requests.isEmpty { asking.loop.runPass(waiting: .milliseconds(10)) }
        asking.outbound.cancel(id)
        asking.loop.runPass()
        #expect(outcome?.reason == .cancelled)
        #expect(asking.outbound.count == 0)
        asking.outbound.cancel(id)
    }

    @Test func whatCannotBeWrittenIsNotSent() throws {
        let server = try LoopbackServer(http(200))
        let bad = [
            ExchangeRequest(.get, server.origin, RequestTarget("/a b"), credential: nil),
            ExchangeRequest(.get, server.origin, RequestTarget("/a\r\nX: y"), credential: nil),
            ExchangeRequest(
                .get, server.origin, RequestTarget("/"), headers: [HeaderField("X", "a\r\nY: b")], credential: nil),
        ]
        for request in bad { #expect(try Asking(server).ask(request).reason == .malformed) }
        #expect(server.connections == 0)
        let good = ExchangeRequest(
            .get, server.origin, RequestTarget("/a%20b"), headers: [HeaderField("X", "a Y: b")], credential: nil)
        #expect(try Asking(server).ask(good).get().status == 200)
    }
}
