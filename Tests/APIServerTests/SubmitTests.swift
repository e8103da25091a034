// POST /jobs and POST /runners: what arrives at schedulerd, and what a person is told of their mistakes.

import Foundation
import Testing
import Wire

@Suite(.timeLimit(.minutes(2)))
struct SubmitTests {
    @Test func aJobArrivesWhole() async throws {
        try await withHouse { house in
            let body = """
                {"name": "all", "image": "bulkhead/debian:latest", "platform": "linux/arm64", "profile": "build",
                 "resources": {"cpus": 0.5, "memory": "2GiB", "pids": 64, "disk": 1048576}, "timeout": "10m",
                 "env": {"A": "1", "B": "zwei \\u00fc"}, "steps": ["make",
                 {"name": "test", "run": "make test", "timeout": 30, "continue_on_error": true}],
                 "source": {"sha256": "\(String(repeating: "0f", count: 32))", "size": 1024}}
                """
            let answer = try await house.ask("POST", "/jobs", body: body)
            #expect(answer.status == 201, "\(answer.text)")
            #expect(try answer.json["id"] as? Int == 100)
            let definition = try #require(house.scheduler.script.value.definitions.first)
            let spec = definition.spec
            #expect(definition.project == "default" && house.scheduler.script.value.jobOrders == [nil])
            #expect(spec.name == "all" && spec.shape.image == "bulkhead/debian:latest" && spec.timeoutSeconds == 600)
            #expect(spec.shape.platform == .linuxArm64 && spec.shape.profile == .build)
            #expect(
                spec.shape.resources
                    == Resources(cpuMillis: 500, memoryBytes: 2 << 30, pids: 64, diskBytes: 1 << 20))
            #expect(spec.env == [Variable(name: "A", value: "1"), Variable(name: "B", value: "zwei ü")])
            #expect(
                spec.steps == [
                    Step(
                        name: "step 1", run: "make", timeoutSeconds: 0, continueOnError: false, untrusted: false,
                        when: .onSuccess, secrets: []),
                    Step(
                        name: "test", run: "make test", timeoutSeconds: 30, continueOnError: true, untrusted: false,
                        when: .onSuccess, secrets: []),
                ])
            #expect(definition.source?.size == 1024)
        }
    }

    @Test func allMistakesAtOnce() async throws {
        try await withHouse { house in
            let answer = try await house.ask(
                "POST", "/jobs", body: #"{"imagee": "x", "timeout": "soon", "steps": [{"rum": "a"}], "env": 3}"#)
            #expect(answer.status == 400 && answer.code == "invalid")
            let error = try #require(try answer.json["error"] as? [String: Any])
            let places = (error["problems"] as? [[String: String]])?.compactMap { $0["place"] }
            #expect(Set(places ?? []) == ["imagee", "image", "timeout", "steps[0].rum", "steps[0].run", "env"])
            #expect(house.scheduler.script.value.calls == [])
        }
    }

    @Test func bodiesThatAreNoJob() async throws {
        let deep = String(repeating: "[", count: 10_000)
        let long = "[" + Array(repeating: "0", count: 300_000).joined(separator: ",") + "]"
        try await withHouse { house in
            for body in ["", "{", "nonsense", "[]", "3", "null", "\"x\"", deep, #"{"image": 1e999, "steps": ["a"]}"#] {
                let answer = try await house.ask("POST", "/jobs", body: body)
                #expect(answer.status == 400, "\(body.prefix(20)): \(answer.text)")
                #expect(answer.code == "invalid")
            }
            #expect(try await house.ask("POST", "/jobs", body: long).status == 413)
            let large =
                #"{"image": "a", "steps": ["\#(String(repeating: "x", count: 16_000))", "#
                + Array(repeating: #""\#(String(repeating: "x", count: 16_000))""#, count: 3).joined(separator: ",")
                + "]}"
            let answer = try await house.ask("POST", "/jobs", body: large)
            #expect(answer.status == 413 && answer.place == "steps", "\(answer.text)")
            for source in [
                "3", "{}", #"{"sha256": "00", "size": 3}"#,
                #"{"sha256": "\#(String(repeating: "0f", count: 32))", "size": 0}"#,
            ] {
                let answer = try await house.ask(
                    "POST", "/jobs", body: #"{"image": "a", "steps": ["a"], "source": \#(source)}"#)
                #expect(answer.status == 400 && answer.place == "source", "\(source)")
            }
            #expect(house.scheduler.script.value.definitions.isEmpty)
        }
    }

    @Test func theSameKeyIsTheSameJob() async throws {
        try await withHouse { house in
            let body = #"{"image": "a", "steps": ["true"]}"#
            let first = try await house.ask("POST", "/jobs", headers: ["Idempotency-Key: k1"], body: body)
            let again = try await house.ask("POST", "/jobs", headers: ["Idempotency-Key: k1"], body: body)
            let other = try await house.ask("POST", "/jobs", headers: ["Idempotency-Key: k2"], body: body)
            let none = try await house.ask("POST", "/jobs", body: body)
            let noneAgain = try await house.ask("POST", "/jobs", body: body)
            #expect([first, again, other, none, noneAgain].map(\.status) == [201, 200, 201, 201, 201])
            #expect(try first.json["id"] as? Int == again.json["id"] as? Int)
            #expect(try first.json["id"] as? Int != other.json["id"] as? Int)
            // It comes as it is read where it is not UTF-8, and so would every other one of that length.
            for key in ["", String(repeating: "k", count: 65), "k\u{FFFD}"] {
                let answer = try await house.ask("POST", "/jobs", headers: ["Idempotency-Key: \(key)"], body: body)
                #expect(answer.status == 400 && answer.place == "Idempotency-Key")
            }
        }
    }

    @Test func aRunnersShape() async throws {
        try await withHouse { house in
            #expect(try await house.ask("POST", "/runners", body: #"{"image": "warm"}"#).status == 201)
            #expect(house.scheduler.script.value.calls == ["CreateRunner warm"])
            let answer = try await house.ask("POST", "/runners", body: #"{"image": "warm", "steps": ["a"]}"#)
            #expect(answer.status == 400 && answer.place == "steps")
        }
    }

    @Test func tokens() async throws {
        try await withHouse { house in
            for value in ["Basic Z29vZA==", "good", "Bearer", "Bearer ", "bearer  good", "Bearer good2"] {
                let answer = try await house.ask("GET", "/status", token: nil, headers: ["Authorization: \(value)"])
                #expect(answer.status == 401, "\(value)")
            }
            #expect(try await house.ask("GET", "/status", token: String(repeating: "g", count: 300)).status == 401)
            #expect(try await house.ask("GET", "/status", token: nil).status == 401)
            #expect(try await house.ask("GET", "/status").status == 200)
        }
    }
}
