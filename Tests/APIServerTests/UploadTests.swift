// POST /sources: bytes go through a pipe to whoever stores them; half an upload is nothing.

import APIServer
import Foundation
import Testing
import Wire

@Suite(.timeLimit(.minutes(2)))
struct UploadTests {
    @Test func everyByteArrives() async throws {
        try await withHouse { house in
            // More than any pipe holds.
            let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
            let client = try house.client()
            try await client.request("POST", "/sources", body: bytes)
            let answer = try await client.answer()
            #expect(answer.status == 201, "\(answer.text)")
            #expect(try answer.json["sha256"] as? String == ScriptedScheduler.stored?.hex)
            #expect(try answer.json["size"] as? Int == bytes.count)
            #expect(house.scheduler.script.value.uploads[1]?.bytes == bytes)
            try await client.request("GET", "/health")
            #expect(try await client.answer().status == 200)
        }
    }

    @Test func aLengthIsNeeded() async throws {
        try await withHouse(.quick) { house in
            let client = try house.client()
            try await client.request("POST", "/sources", headers: ["Transfer-Encoding: chunked"])
            #expect(try await client.answer().status == 411)
            #expect(try await client.rest() == [])
            #expect(try await house.ask("POST", "/sources", headers: ["Content-Length: 0"]).status == 411)
            #expect(try await house.ask("POST", "/sources").status == 411)
            #expect(house.scheduler.script.value.calls == [])
        }
    }

    @Test func refusedBeforeItBegins() async throws {
        try await withHouse(.quick) { house in
            let large = try house.client()
            try await large.request("POST", "/sources", headers: ["Content-Length: 9999999999999"])
            let answer = try await large.answer()
            #expect(answer.status == 413 && answer.header("connection") == "close")
            // The body that is already on its way is thrown away, and never read as a request.
            let stranger = try house.client()
            try await stranger.send(
                "POST /sources HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"
                    + "GET /health HTTP/1.1\r\nHost: a\r\n\r\n"
            )
            #expect(try await stranger.answer().status == 401)
            #expect(try await stranger.rest() == [])
            #expect(house.scheduler.script.value.uploads.isEmpty)
        }
    }

    @Test func abandoned() async throws {
        try await withHouse(.quick) { house in
            let client = try house.client()
            try await client.request("POST", "/sources", headers: ["Content-Length: 1000"])
            try await client.send("some")
            await house.scheduler.script.wait { $0.uploads[1]?.bytes.count == 4 }
            client.close()
            // The pipe ends, and the upload is asked for all the same, so that nothing of it is kept.
            await house.scheduler.script.wait { $0.uploads[1]?.hasEnded == true && $0.uploads[1]?.isFinished == true }
            #expect(house.scheduler.script.value.uploads[1]?.bytes.count == 4)
        }
    }

    @Test func tooShort() async throws {
        try await withHouse { house in
            let client = try house.client()
            try await client.request("POST", "/sources", headers: ["Content-Length: 1000"])
            try await client.send("some")
            try client.closeWriting()
            #expect(try await client.answer().status == 400)
            await house.scheduler.script.wait { $0.uploads[1]?.isFinished == true }
        }
    }

    @Test func standingStill() async throws {
        try await withHouse(.impatient) { house in
            let client = try house.client()
            try await client.request("POST", "/sources", headers: ["Content-Length: 1000"])
            try await client.send("some")
            #expect(try await client.rest() == [])
            await house.scheduler.script.wait { $0.uploads[1]?.hasEnded == true && $0.uploads[1]?.isFinished == true }
        }
    }

    @Test func theStoreSaysWhyItStopped() async throws {
        var script = ScriptedScheduler.Script()
        script.uploadLimit = 100_000
        try await withHouse(script: script) { house in
            let client = try house.client()
            let sending = Task {
                try await client.request("POST", "/sources", body: [UInt8](repeating: 7, count: 8_000_000))
            }
            let answer = try await client.answer()
            #expect(answer.status == 507 && answer.code == "storage_full", "\(answer.text)")
            _ = await sending.result
        }
    }
}
