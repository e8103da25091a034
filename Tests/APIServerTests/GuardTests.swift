// What strangers' bytes come to: too many, too slow, ambiguous, endless. Each is answered once or closed, and the
// server lives.

import APIServer
import Foundation
import Testing
import Wire

@Suite(.timeLimit(.minutes(2)))
struct GuardTests {
    private static let get = "GET /health HTTP/1.1\r\nHost: a\r\n"

    /// Sends `bytes` and, after them, a good request; expects one answer, and the end of the connection.
    private func refused(_ house: House, _ bytes: String, _ status: Int, _ comment: String) async throws {
        let client = try house.client()
        try await client.send(bytes + "GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
        let answer = try await client.answer()
        #expect(answer.status == status, "\(comment): \(answer.text)")
        #expect(answer.header("connection") == "close", "\(comment)")
        #expect(answer.header("content-type") == "application/json", "\(comment)")
        #expect(try await client.rest() == [], "\(comment): a second answer")
    }

    /// W10: up to the limits, and one more.
    @Test func headersBeyondTheLimits() async throws {
        try await withHouse(.quick) { house in
            let many = Self.get + (0..<99).map { "X-\($0): 1\r\n" }.joined()
            let client = try house.client()
            try await client.send(many + "\r\n")
            #expect(try await client.answer().status == 200, "100 headers are fine")
            try await refused(house, many + "X-Last: 1\r\n\r\n", 431, "101 headers")
            try await refused(house, Self.get + "X: \(String(repeating: "x", count: 17_000))\r\n\r\n", 431, "one long")
            let lines = (0..<20).map { "X-\($0): \(String(repeating: "x", count: 1_000))\r\n" }.joined()
            try await refused(house, Self.get + lines + "\r\n", 431, "20 KiB in all")
            try await refused(house, "GET /\(String(repeating: "x", count: 17_000)) HTTP/1.1\r\n", 431, "a long path")
        }
    }

    /// W10: no end.
    @Test func aBombIsNotSwallowed() async throws {
        try await withHouse(.quick) { house in
            let client = try house.client()
            let flood = Task {
                try await client.send(Self.get)
                // Ends with the connection: nobody takes a hundred megabytes of headers.
                for _ in 0..<10_000 { try await client.send("X: \(String(repeating: "x", count: 10_000))\r\n") }
            }
            #expect(try await client.answer().status == 431)
            await #expect(throws: (any Error).self) { try await flood.value }
        }
    }

    /// W11: what two readers might read as two things.
    @Test func ambiguousHeads() async throws {
        let chunked = "Transfer-Encoding: chunked\r\n"
        let post = "POST /jobs HTTP/1.1\r\nHost: a\r\n"
        let smuggled = "0\r\n\r\nGET /status HTTP/1.1\r\nHost: a\r\n\r\n"
        try await withHouse(.quick) { house in
            try await refused(house, post + "Content-Length: 5\r\n" + chunked + "\r\n" + smuggled, 400, "CL then TE")
            try await refused(house, post + chunked + "Content-Length: 5\r\n\r\n" + smuggled, 400, "TE then CL")
            try await refused(house, post + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400, "two lengths")
            try await refused(
                house, post + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 400, "twice a length")
            try await refused(house, post + "Content-Length: 5, 5\r\n\r\nhello", 400, "a list of lengths")
            try await refused(house, post + "Content-Length: +5\r\n\r\nhello", 400, "a signed length")
            try await refused(house, post + "Content-Length: -5\r\n\r\n", 400, "a negative length")
            try await refused(
                house, post + "Content-Length: 99999999999999999999\r\n\r\n", 400, "an overflowing length")
            try await refused(
                house, post + "Transfer-Encoding: chunked\r\n" + chunked + "\r\n" + smuggled, 400, "TE twice")
            try await refused(house, "GET /health HTTP/1.1\r\n\r\n", 400, "no Host")
            try await refused(house, Self.get + "Host: b\r\n\r\n", 400, "two Hosts")
            try await refused(house, "GET http://a/health HTTP/1.1\r\nHost: a\r\n\r\n", 400, "absolute form")
            try await refused(house, "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 400, "asterisk form")
            try await refused(house, "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 400, "authority form")
            try await refused(house, "GET /health HTTP/1.0\r\nHost: a\r\n\r\n", 505, "HTTP/1.0")
            try await refused(house, Self.get + "Content-Encoding: gzip\r\n\r\n", 415, "a coding")
            try await refused(house, Self.get + "Expect: the-unexpected\r\n\r\n", 417, "an expectation")
            try await refused(house, "nonsense\r\n\r\n", 400, "no HTTP")
            try await refused(house, "BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n", 400, "no method")
            try await refused(house, "GET /health HTTP/1.1\r\nHost : a\r\n\r\n", 400, "a space before the colon")
            try await refused(house, "GET /health HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n", 400, "a folded line")
            try await refused(house, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "HTTP/2")
            #expect(house.scheduler.script.value.calls == [])
        }
    }

    @Test func otherEncodings() async throws {
        try await withHouse(.quick) { house in
            for encoding in ["gzip", "chunked, gzip", "gzip, chunked", "identity", "xchunked"] {
                let client = try house.client()
                try await client.send(
                    "POST /jobs HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \(encoding)\r\n\r\n0\r\n\r\n"
                        + "GET /status HTTP/1.1\r\nHost: a\r\n\r\n"
                )
                let answer = try await client.answer()
                #expect(answer.status == 400 || answer.status == 501, "\(encoding)")
                #expect(try await client.rest() == [], "\(encoding)")
            }
            #expect(house.scheduler.script.value.calls == [])
        }
    }

    @Test func refusalsWaitForTheirTurn() async throws {
        try await withHouse(script: holding) { house in
            let client = try house.client()
            try await client.request("GET", "/status")
            await house.scheduler.script.wait { $0.calls.contains("held") }
            try await client.send("GET /health HTTP/1.1\r\n\r\n")
            try await client.request("GET", "/health")
            house.scheduler.releaseStatus()
            let first = try await client.answer()
            #expect(first.status == 200 && first.text.contains("instance"))
            #expect(try await client.answer().status == 400)
            #expect(try await client.rest() == [])
        }
    }

    @Test func pipelinedAnswersKeepTheirOrder() async throws {
        try await withHouse(.quick) { house in
            let client = try house.client()
            let one = Self.get + "\r\n"
            let two = "GET /status HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer good\r\n\r\n"
            try await client.send(
                one + two + one + two + "GET /none HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" + one)
            for expected in ["ok", "instance", "ok", "instance", "not_found"] {
                #expect(try await client.answer().text.contains(expected))
            }
            #expect(try await client.rest() == [], "nothing after Connection: close")
        }
    }

    /// W9: in the head, after an answer, in the body.
    @Test func slowClientsAreClosed() async throws {
        try await withHouse(.impatient) { house in
            for beginning in ["", "GET /he", "GET /health HTTP/1.1\r\nHost: a\r\nX: "] {
                let client = try house.client()
                try await client.send(beginning)
                #expect(try await client.rest() == [], "\(beginning)")
            }
            // An answer, then silence.
            let quiet = try house.client()
            try await quiet.send(Self.get + "\r\n")
            #expect(try await quiet.answer().status == 200)
            #expect(try await quiet.rest() == [])
            // Half a body: no job comes of it.
            let slow = try house.client()
            try await slow.send(
                "POST /jobs HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer good\r\nContent-Length: 100\r\n\r\n{")
            #expect(try await slow.rest() == [])
            #expect(house.scheduler.script.value.calls == [])
        }
    }

    @Test func halfABodyIsNoJob() async throws {
        let job = #"{"image": "a", "steps": ["true"]}"#
        let post = "POST /jobs HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer good\r\n"
        try await withHouse(.quick) { house in
            // All of a job, and not all of the body: the sender never said that it was done.
            for head in [
                "Content-Length: \(job.utf8.count + 1)\r\n\r\n\(job)",
                "Transfer-Encoding: chunked\r\n\r\n\(String(job.utf8.count, radix: 16))\r\n\(job)\r\n",
            ] {
                let client = try house.client()
                try await client.send(post + head)
                try client.closeWriting()
                let answer = try await client.answer()
                #expect(answer.status == 400)
                #expect(try await client.rest() == [])
            }
            // The control: the same with its end.
            let client = try house.client()
            try await client.send(
                post + "Transfer-Encoding: chunked\r\n\r\n\(String(job.utf8.count, radix: 16))\r\n\(job)\r\n0\r\n\r\n")
            #expect(try await client.answer().status == 201)
            #expect(house.scheduler.script.value.calls == ["SubmitJob"])
        }
    }

    @Test func bodiesBeyondTheLimit() async throws {
        try await withHouse(.quick) { house in
            try await refused(
                house, "POST /jobs HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n\r\n", 413, "announced")
            for path in ["/jobs", "/health", "/nothing"] {
                let client = try house.client()
                let flood = Task {
                    try await client.send(
                        "POST \(path) HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer good\r\n"
                            + "Transfer-Encoding: chunked\r\n\r\n")
                    let chunk = "4000\r\n" + String(repeating: " ", count: 0x4000) + "\r\n"
                    for _ in 0..<100_000 { try await client.send(chunk) }
                }
                let answer = try await client.answer()
                #expect(path == "/jobs" ? answer.status == 413 : [404, 405, 413].contains(answer.status), "\(path)")
                #expect(answer.header("connection") == "close")
                await #expect(throws: (any Error).self) { try await flood.value }
            }
        }
    }

    @Test func moreThanTheLengthIsTheNextRequest() async throws {
        try await withHouse(.quick) { house in
            let job = #"{"image": "a", "steps": ["true"]}"#
            let client = try house.client()
            try await client.send(
                "POST /jobs HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer good\r\n"
                    + "Content-Length: \(job.utf8.count)\r\n\r\n\(job)nonsense\r\n\r\n"
            )
            #expect(try await client.answer().status == 201)
            #expect(try await client.answer().status == 400)
            #expect(try await client.rest() == [])
        }
    }

    @Test func aContinueIsSaid() async throws {
        try await withHouse { house in
            let job = #"{"image": "a", "steps": ["true"]}"#
            let client = try house.client()
            try await client.request(
                "POST", "/jobs", headers: ["Expect: 100-continue", "Content-Length: \(job.utf8.count)"])
            #expect(try await client.answer().status == 100)
            try await client.send(job)
            #expect(try await client.answer().status == 201)
            // A body that would not be taken is not asked for.
            let large = try house.client()
            try await large.request("POST", "/jobs", headers: ["Expect: 100-continue", "Content-Length: 99999999"])
            #expect(try await large.answer().status == 413)
        }
    }

    @Test func aClientThatHasSaidEverythingIsAnswered() async throws {
        try await withHouse(script: holding) { house in
            let client = try house.client()
            try await client.request("GET", "/status")
            try client.closeWriting()
            await house.scheduler.script.wait { $0.calls.contains("held") }
            house.scheduler.releaseStatus()
            #expect(try await client.answer().status == 200)
            #expect(try await client.rest() == [])
        }
    }

    private var holding: ScriptedScheduler.Script {
        var script = ScriptedScheduler.Script()
        script.holdStatus = true
        return script
    }
}
