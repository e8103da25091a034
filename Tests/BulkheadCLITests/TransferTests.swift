// HTTP as the CLI speaks it: what goes out, what comes back, and what a connection that breaks leaves behind.

import BulkheadCLI
import Foundation
import Synchronization
import Testing

private final class Sunk: Sendable {
    private let bytes = Mutex(Data())
    var text: String { String(decoding: bytes.withLock { $0 }, as: UTF8.self) }
    func add(_ part: UnsafeRawBufferPointer) {
        let data = Data(part)
        bytes.withLock { $0.append(data) }
    }
}

@Suite struct TransferTests {
    private static let ok = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"

    @Test func anAnswerComesBackWhole() async throws {
        let server = try OneAnswerServer([Self.ok, "he", "llo"])
        var request = HTTPRequest(method: "DELETE", url: "\(server.url)/jobs/1?grace=3")
        request.headers["Authorization"] = "Bearer t"
        let answer = try await Transfer.run(request)
        #expect(answer.status == 200)
        #expect(answer.body == Data("hello".utf8))
        #expect(server.asked.hasPrefix("DELETE /jobs/1?grace=3 HTTP/1.1\r\n"))
        #expect(server.asked.contains("\r\nAuthorization: Bearer t\r\n"))
    }

    @Test func bytesAndFilesAreSentAsTheyAre() async throws {
        let folder = try TestFolder()
        // More than curl would send without asking for a `100 Continue` first.
        let content = String(repeating: "0123456789abcdef", count: 200_000)
        try folder.write("file", content)
        let path = "\(folder.path)/file"
        for body in [HTTPRequest.Body.bytes(Array(content.utf8)), .file(path, size: UInt64(content.utf8.count))] {
            let server = try OneAnswerServer([Self.ok, "hello"])
            var request = HTTPRequest(method: "POST", url: server.url)
            request.body = body
            #expect(try await Transfer.run(request).status == 200)
            #expect(server.asked.hasPrefix("POST / HTTP/1.1\r\n"))
            #expect(!server.asked.contains("Expect"))
            #expect(server.asked.hasSuffix("\r\n\r\n" + content))
        }
    }

    @Test func aStreamGoesToItsSink() async throws {
        let server = try OneAnswerServer([
            "HTTP/1.1 206 Partial Content\r\nTransfer-Encoding: chunked\r\n\r\n", "3\r\nabc\r\n",
            "2\r\nde\r\n0\r\n\r\n",
        ])
        let sunk = Sunk()
        let answer = try await Transfer.run(HTTPRequest(method: "GET", url: server.url, timeout: 0)) { sunk.add($0) }
        #expect(sunk.text == "abcde")
        #expect(answer.streamed == 5 && answer.body.isEmpty)
    }

    @Test func aRefusalDoesNotGoToTheSink() async throws {
        let server = try OneAnswerServer(["HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno"])
        let sunk = Sunk()
        let answer = try await Transfer.run(HTTPRequest(method: "GET", url: server.url)) { sunk.add($0) }
        #expect(sunk.text.isEmpty)
        #expect(answer.status == 404 && answer.body == Data("no".utf8))
    }

    @Test func aBrokenStreamSaysHowFarItCame() async throws {
        let server = try OneAnswerServer(["HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"])
        let sunk = Sunk()
        let failure = await #expect(throws: HTTPFailure.self) {
            try await Transfer.run(HTTPRequest(method: "GET", url: server.url)) { sunk.add($0) }
        }
        #expect(failure?.streamed == 3 && failure?.wasSent == true)
        #expect(sunk.text == "abc")
    }

    /// A proxy would be sent the token. Port 9 of this machine is nobody, so a proxy that had a say would break this.
    @Test func theEnvironmentNamesNoProxy() async throws {
        for name in ["http_proxy", "all_proxy", "ALL_PROXY"] { setenv(name, "http://127.0.0.1:9", 1) }
        let server = try OneAnswerServer([Self.ok, "hello"])
        #expect(try await Transfer.run(HTTPRequest(method: "GET", url: server.url)).status == 200)
    }

    @Test(arguments: ["ftp://127.0.0.1/x", "file:///etc/hostname", "http://127.0.0.1:9/"])
    func whatIsNoAnswerIsAFailure(_ url: String) async {
        let failure = await #expect(throws: HTTPFailure.self) {
            try await Transfer.run(HTTPRequest(method: "GET", url: url))
        }
        #expect(failure?.wasSent == false)
    }

    @Test(arguments: [
        ("GET", "/jobs", false, "changed nothing; try it again"),
        ("POST", "/jobs", true, "submit it again with --request-id k1, and there will be one"),
        ("POST", "/sources", false, "no job is submitted; submit it again"),
        ("POST", "/orders", false, "whether it is done is not known; look first"),
        ("DELETE", "/jobs/1", false, "whether it is done is not known; look first"),
    ])
    func aCutConnectionSaysWhatToDoNext(_ method: String, _ path: String, _ hasKey: Bool, _ says: String) async throws {
        // The server reads the request and hangs up.
        let server = try OneAnswerServer([])
        var request = HTTPRequest(method: method, url: server.url + path)
        if hasKey { request.headers["Idempotency-Key"] = "k1" }
        let failure = try #require(await #expect(throws: HTTPFailure.self) { try await Transfer.run(request) })
        let base = try #require(URL(string: server.url))
        func text(_ wasSent: Bool) -> String {
            CommandFailure(failure, of: request, at: base, wasSent: wasSent).description
        }
        #expect(failure.wasSent && text(true).contains(says), "\(text(true))")
        #expect(text(true).contains("connection to \(server.url) broke"))
        #expect(text(false).contains("start it with `bulkhead up`") && !text(false).contains(says))
    }

    @Test func aHeaderIsOneLine() async throws {
        var request = HTTPRequest(method: "GET", url: "http://127.0.0.1:9/")
        request.headers["Authorization"] = "Bearer t\r\nEvil: 1"
        let failure = await #expect(throws: HTTPFailure.self) { try await Transfer.run(request) }
        #expect(failure?.description.contains("line break") == true)
    }
}
