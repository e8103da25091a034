// GET /jobs/{id}/log: whole, in part, and as it grows.

import APIServer
import Testing
import Wire

@Suite(.timeLimit(.minutes(2)))
struct LogTests {
    @Test func wholeAndRanges() async throws {
        try await withHouse { house in
            try house.scheduler.appendLog(3, "0123456789")
            let whole = try await house.ask("GET", "/jobs/3/log")
            #expect(whole.status == 200 && whole.text == "0123456789")
            #expect(whole.header("accept-ranges") == "bytes")
            #expect(whole.header("x-content-type-options") == "nosniff")
            for (range, text, part) in [
                ("bytes=3-", "3456789", "bytes 3-9/10"), ("bytes=3-5", "345", "bytes 3-5/10"),
                ("bytes=0-0", "0", "bytes 0-0/10"), ("bytes=9-99", "9", "bytes 9-9/10"),
                ("bytes=0-9223372036854775807", "0123456789", "bytes 0-9/10"),
            ] {
                let answer = try await house.ask("GET", "/jobs/3/log", headers: ["Range: \(range)"])
                #expect(answer.status == 206 && answer.text == text, "\(range)")
                #expect(answer.header("content-range") == part)
            }
            let beyond = try await house.ask("GET", "/jobs/3/log", headers: ["Range: bytes=10-"])
            #expect(beyond.status == 416 && beyond.header("content-range") == "bytes */10")
            for range in [
                "bytes=-5", "bytes=5-3", "lines=1-2", "bytes=1-2,4-5", "bytes=a-b", "bytes=+1-", "bytes=", "b",
            ] {
                let answer = try await house.ask("GET", "/jobs/3/log", headers: ["Range: \(range)"])
                #expect(answer.status == 400 && answer.place == "Range", "\(range)")
            }
        }
    }

    @Test func aLongLogIsWhole() async throws {
        try await withHouse { house in
            let text = (0..<200_000).map { "line \($0)\n" }.joined()
            try house.scheduler.appendLog(3, text)
            #expect(try await house.ask("GET", "/jobs/3/log").text == text)
            try await follow(house, 3) { client in
                var all = ""
                while true {
                    let chunk = try await client.chunk()
                    if chunk.isEmpty { break }
                    all += chunk
                }
                #expect(all == text)
            }
        }
    }

    @Test func jobsWithoutALog() async throws {
        try await withHouse { house in
            let early = try await house.ask("GET", "/jobs/2/log")
            #expect(early.status == 200 && early.body.isEmpty && early.header("content-length") == "0")
            #expect(try await house.ask("GET", "/jobs/2/log", headers: ["Range: bytes=0-"]).status == 416)
            #expect(try await house.ask("GET", "/jobs/3/log").status == 404)
            #expect(try await house.ask("GET", "/jobs/9/log?follow=1").status == 404)
            #expect(try await house.ask("GET", "/jobs/9/log?follow=1", token: "wrong").status == 401)
            #expect(try await house.ask("GET", "/jobs/3/log?follow=1", headers: ["Range: bytes=1-2"]).status == 400)
            // It ended before it began.
            #expect(try await house.ask("GET", "/jobs/3/log?follow=1").body.isEmpty)
        }
    }

    @Test func followedLive() async throws {
        try await withHouse(.impatient) { house in
            try await follow(house, 2) { client in
                house.scheduler.set(2, .running)
                for line in ["first\n", "second\n", "third\n"] {
                    try house.scheduler.appendLog(2, line)
                    #expect(try await client.chunk() == line)
                    // Once it has ended a younger, silent connection, the deadline for heads has passed again.
                    let silent = try house.client()
                    #expect(try await silent.rest() == [])
                }
                try house.scheduler.appendLog(2, "last\n")
                house.scheduler.set(2, .failed)
                #expect(try await client.chunk() == "last\n")
                #expect(try await client.chunk() == "")
                // The connection goes on after it.
                try await client.request("GET", "/health")
                #expect(try await client.answer().status == 200)
            }
        }
    }

    @Test func followedFromAByteOn() async throws {
        try await withHouse { house in
            try house.scheduler.appendLog(1, "0123456789")
            let client = try house.client()
            try await client.request("GET", "/jobs/1/log?follow=1", headers: ["Range: bytes=4-"])
            let head = try await client.head()
            #expect(head.status == 206)
            #expect(head.header("content-range")?.hasPrefix("bytes 4-") == true)
            #expect(try await client.chunk() == "456789")
            house.scheduler.set(1, .succeeded)
            #expect(try await client.chunk() == "")
        }
    }

    @Test func manyFollowersAndCalls() async throws {
        try await withHouse { house in
            try house.scheduler.appendLog(1, "x")
            var clients: [RawClient] = []
            for _ in 0..<80 {
                let client = try house.client()
                try await client.request("GET", "/jobs/1/log?follow=1")
                #expect(try await client.head().status == 200)
                clients.append(client)
            }
            #expect(house.scheduler.script.value.openWatches == 80)
            #expect(try await house.ask("GET", "/status").status == 200)
            house.scheduler.set(1, .succeeded)
            for client in clients {
                #expect(try await client.chunk() == "x")
                #expect(try await client.chunk() == "")
            }
        }
    }

    @Test func followersThatGoAwayLeaveNothing() async throws {
        var script = ScriptedScheduler.Script()
        for job in 10..<30 as Range<UInt64> { script.states[job] = .running }
        try await withHouse(.impatient, script: script) { house in
            let faithful = try house.client()
            try house.scheduler.appendLog(1, "a")
            try await faithful.request("GET", "/jobs/1/log?follow=1")
            #expect(try await faithful.head().status == 200)
            #expect(try await faithful.chunk() == "a")
            for job in 10..<30 {
                let client = try house.client()
                try await client.request("GET", "/jobs/\(job)/log?follow=1")
                #expect(try await client.head().status == 200)
                client.close()
            }
            await house.scheduler.script.wait { $0.watchesEver == 21 && $0.openWatches == 1 }
            // The one who stayed gets what it came for.
            try house.scheduler.appendLog(1, "b")
            #expect(try await faithful.chunk() == "b")
            house.scheduler.set(1, .succeeded)
            #expect(try await faithful.chunk() == "")
        }
    }

    @Test func tooManyJobsFollowed() async throws {
        var script = ScriptedScheduler.Script()
        for job in 10..<70 as Range<UInt64> { script.states[job] = .running }
        var limits = HTTPLimits.impatient
        limits.followers = 48
        try await withHouse(limits, script: script) { house in
            var clients: [RawClient] = []
            var statuses: [Int] = []
            for job in 10..<60 {
                let client = try house.client()
                try await client.request("GET", "/jobs/\(job)/log?follow=1")
                statuses.append(try await client.head().status)
                clients.append(client)
            }
            #expect(statuses.filter { $0 == 200 }.count == 48)
            #expect(statuses.filter { $0 == 429 }.count == 2)
            #expect(try await house.ask("GET", "/status").status == 200)
            // Places that are given up are there for others.
            for client in clients { client.close() }
            await house.scheduler.script.wait { $0.openWatches == 0 }
            try await follow(house, 60) { _ in }
        }
    }

    @Test func followedThroughARestart() async throws {
        try await withHouse { house in
            try house.scheduler.appendLog(1, "before\n")
            try await follow(house, 1) { client in
                #expect(try await client.chunk() == "before\n")
                await house.stopScheduler()
                #expect(try await house.ask("GET", "/health").status == 200)
                #expect(try await house.ask("GET", "/status").status == 503)
                try await house.startScheduler()
                await house.scheduler.script.wait { $0.openWatches == 1 }
                try house.scheduler.appendLog(1, "after\n")
                #expect(try await client.chunk() == "after\n")
                house.scheduler.set(1, .succeeded)
                #expect(try await client.chunk() == "")
            }
        }
    }

    @Test func finishedWhileSchedulerdWasAway() async throws {
        try await withHouse { house in
            try house.scheduler.appendLog(1, "before\n")
            try await follow(house, 1) { client in
                #expect(try await client.chunk() == "before\n")
                await house.stopScheduler()
                var script = ScriptedScheduler.Script()
                script.states[1] = .failed
                try await house.startScheduler(script)
                #expect(try await client.chunk() == "")
            }
        }
    }

    private func follow(_ house: House, _ job: UInt64, _ body: (RawClient) async throws -> Void) async throws {
        let client = try house.client()
        try await client.request("GET", "/jobs/\(job)/log?follow=1")
        let head = try await client.head()
        #expect(head.status == 200 && head.header("transfer-encoding") == "chunked")
        try await body(client)
        client.close()
    }
}
