// Bodies that are not just bytes: one with the token in it, and one that comes from a file.

import Exchange
import Files
import Outbound
import Posix
import Secret
import Testing

@Suite struct BodyTests {
    private func request(_ server: LoopbackServer, _ body: String, at place: Int?) -> ExchangeRequest {
        ExchangeRequest(
            .post, server.origin, RequestTarget("/a"), body: Array(body.utf8),
            credential: Credential(header: "RUNNER-TOKEN"), tokenAt: place)
    }

    @Test func theTokenStandsInTheBody() throws {
        let server = try LoopbackServer(http(200))
        _ = try Asking(server).ask(request(server, #"{"token":"","a":1}"#, at: 10)).get()
        #expect(server.requests[0].hasSuffix("\r\n\r\n" + #"{"token":"\#(Asking.token)","a":1}"#))
        #expect(server.requests[0].contains("RUNNER-TOKEN: \(Asking.token)\r\n"))
    }

    @Test func aPlaceOutsideOfTheBodyIsNone() throws {
        let server = try LoopbackServer(http(200))
        for place in [-1, 2] {
            #expect(try Asking(server).ask(request(server, "x", at: place)).reason == .malformed)
        }
        #expect(server.requests.isEmpty)
    }

    @Test(arguments: [#"a"b"#, #"a\b"#]) func aTokenThatWouldEndItsTextIsNone(_ token: String) throws {
        let server = try LoopbackServer(http(200))
        let asking = try Asking(server)
        var secret = try Secret(capacity: 16)
        try Array(token.utf8).withUnsafeBytes { try secret.append($0) }
        var outcome: Asking.Outcome?
        asking.outbound.send(request(server, #"{"token":""}"#, at: 10), token: secret, within: [server.origin]) {
            outcome = $0
        }
        while outcome == nil { asking.loop.runPass(waiting: .seconds(1)) }
        #expect(outcome?.reason == .malformed)
        #expect(server.requests.isEmpty)
    }

    @Test func aFileIsABody() throws {
        let file = try Posix.openTemporary("/tmp")
        let content = String(repeating: "0123456789abcdef", count: 40_000)
        try Posix.writeAll(file.raw, Array(content.utf8))
        let server = try LoopbackServer(http(201))
        let source = FileSource(
            file.raw, fileSize: UInt64(content.utf8.count), head: Array("<".utf8), tail: Array(">".utf8))
        let answer = try send(source, to: server).get()
        #expect(answer.status == 201)
        #expect(server.requests[0].hasSuffix("\r\n\r\n<" + content + ">"))
        #expect(server.requests[0].contains("Content-Length: \(content.utf8.count + 2)\r\n"))
    }

    /// Whoever sends it does not know how much of it the server has.
    @Test func aFileThatIsShorterThanWasSaidEndsTheTransfer() throws {
        let file = try Posix.openTemporary("/tmp")
        try Posix.writeAll(file.raw, Array("short".utf8))
        let server = try LoopbackServer(http(201))
        #expect(try send(FileSource(file.raw, fileSize: 10), to: server).reason == .stopped)
    }

    private func send(_ source: FileSource, to server: LoopbackServer) throws -> Asking.Outcome {
        let asking = try Asking(server)
        let secret = try Secret(capacity: 1)
        var outcome: Asking.Outcome?
        asking.outbound.send(
            ExchangeRequest(.post, server.origin, RequestTarget("/a"), credential: nil), token: secret,
            within: [server.origin], limits: .file(1 << 20), from: source
        ) { outcome = $0 }
        while outcome == nil { asking.loop.runPass(waiting: .seconds(1)) }
        return try #require(outcome)
    }

    @Test func deletingHasABody() throws {
        let server = try LoopbackServer(http(204))
        let request = ExchangeRequest(
            .delete, server.origin, RequestTarget("/a"), body: Array("{}".utf8), credential: nil)
        #expect(request.isRepeatable)
        #expect(try Asking(server).ask(request).get().status == 204)
        #expect(server.requests[0].hasPrefix("DELETE /a HTTP/1.1\r\n"))
        #expect(server.requests[0].hasSuffix("\r\n\r\n{}"))
    }
}
