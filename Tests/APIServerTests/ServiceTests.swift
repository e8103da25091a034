// The service as a whole: how many connections, and how it stops.

import APIServer
import Foundation
import Testing
import Wire

@Suite(.timeLimit(.minutes(2)))
struct ServiceTests {
    @Test func connectionsBeyondTheCapWait() async throws {
        var limits = HTTPLimits()
        limits.connections = 2
        try await withHouse(limits) { house in
            let (first, second, third) = (try house.client(), try house.client(), try house.client())
            for client in [first, second] {
                try await client.request("GET", "/health")
                #expect(try await client.answer().status == 200)
            }
            try await third.request("GET", "/health")
            // The server's only loop has turned many times by then, and has not looked at the third.
            for _ in 0..<20 {
                try await first.request("GET", "/health")
                #expect(try await first.answer().status == 200)
            }
            #expect(try !third.hasSomething())
            second.close()
            #expect(try await third.answer().status == 200)
        }
    }

    @Test func manyConnectionsComeAndGo() async throws {
        var limits = HTTPLimits()
        limits.connections = 3
        try await withHouse(limits) { house in
            for _ in 0..<50 {
                let answer = try await house.ask("GET", "/status")
                #expect(answer.status == 200)
            }
        }
    }

    /// A client that asks and never reads may not keep its place for ever.
    @Test func whoDoesNotReadIsCutOff() async throws {
        var limits = HTTPLimits.impatient
        limits.connections = 1
        try await withHouse(limits) { house in
            try house.scheduler.appendLog(3, String(repeating: "x", count: 30_000_000))
            let deaf = try house.client()
            try await deaf.request("GET", "/jobs/3/log")
            // The only place is free when the deaf one is gone.
            let next = try house.client()
            try await next.request("GET", "/health")
            #expect(try await next.answer().status == 200)
            await #expect(throws: (any Error).self) { try await deaf.answer() }
        }
    }

    @Test func schedulerdComesBack() async throws {
        try await withHouse { house in
            #expect(try await house.ask("GET", "/status").status == 200)
            for _ in 0..<3 {
                await house.stopScheduler()
                #expect(try await house.ask("GET", "/status").code == "disconnected")
                #expect(try await house.ask("GET", "/health").status == 200)
                try await house.startScheduler()
                // schedulerd has our hello, and we have its own a moment later.
                var status = 503
                for _ in 0..<1000 where status == 503 { status = try await house.ask("GET", "/status").status }
                #expect(status == 200)
            }
        }
    }

    @Test func aCallThatSchedulerdTakesWithItIsAnswered() async throws {
        var script = ScriptedScheduler.Script()
        script.holdStatus = true
        try await withHouse(script: script) { house in
            let client = try house.client()
            try await client.request("GET", "/status")
            await house.scheduler.script.wait { $0.calls.contains("held") }
            await house.stopScheduler()
            let answer = try await client.answer()
            #expect(answer.status == 503, "\(answer.text)")
        }
    }

    @Test func stoppingAnswersWhatIsUnderWay() async throws {
        var script = ScriptedScheduler.Script()
        script.holdStatus = true
        let house = try await House(script: script)
        let (busy, idle) = (try house.client(), try house.client())
        try await idle.request("GET", "/health")
        #expect(try await idle.answer().status == 200)
        try await busy.request("GET", "/status")
        await house.scheduler.script.wait { $0.calls.contains("held") }
        house.service.stop()
        #expect(try await idle.rest() == [])
        house.scheduler.releaseStatus()
        let answer = try await busy.answer()
        #expect(answer.status == 200 && answer.header("connection") == "close")
        try await house.stop()
        #expect(throws: (any Error).self) { try house.client() }
    }

    @Test func stoppingDoesNotWaitForFollowers() async throws {
        let house = try await House(.quick)
        let client = try house.client()
        try await client.request("GET", "/jobs/1/log?follow=1")
        #expect(try await client.head().status == 200)
        try await house.stop()
        await #expect(throws: (any Error).self) { try await client.chunk() }
    }
}
