// Why, pools, draining and metrics over a real socket. That the answers fit the document is RouteTests' business.

import Foundation
import Testing
import Wire

@Suite(.timeLimit(.minutes(2)))
struct InsightTests {
    @Test func whyHasTheSchemasWordsAndTimes() async throws {
        try await withHouse { house in
            let json = try await house.ask("GET", "/jobs/1/why").json
            let whys = try #require(json["whys"] as? [[String: Any]])
            #expect(json["state"] as? String == "QUEUED")
            #expect(whys.map { $0["kind"] as? String } == ["all_runners_in_use", "behind_others"])
            #expect(whys[0]["since"] as? String == "2023-11-14T22:13:20.123Z" && whys[1]["since"] == nil)
            let history = try #require(json["history"] as? [[String: Any]])
            #expect(history.first?["text"] as? String == "submitted: QUEUED")
        }
    }

    @Test func aJobShowsItsSchedule() async throws {
        try await withHouse { house in
            let job = try await house.ask("GET", "/jobs/1").json
            #expect(job["priority"] as? Int == 60 && job["attempts"] as? Int == 2)
            let schedule = try #require(job["schedule"] as? [String: Any])
            #expect(schedule["group"] as? String == "deploy" && schedule["cancel_in_progress"] as? Bool == true)
            #expect(schedule["needs"] as? [Int] == [2] && schedule["when"] as? String == "any_failed")
            #expect(schedule["tags"] as? [String] == ["big"] && schedule["queue_timeout"] as? Int == 90)
            let resources = try #require(job["resources"] as? [String: Any])
            #expect(resources["gpus"] as? Int == 1 && resources["gpu_vendor"] as? String == "amd")
            let jobs = try #require(try await house.ask("GET", "/jobs").json["jobs"] as? [[String: Any]])
            #expect(jobs.allSatisfy { $0["priority"] as? Int == 60 })
        }
    }

    @Test func drainTakesOneWord() async throws {
        try await withHouse { house in
            for drain in ["true", "false"] {
                let answer = try await house.ask("POST", "/drain", body: "{\"drain\": \(drain)}")
                #expect(answer.text == "{\"draining\":\(drain),\"runners\":2,\"running\":1}")
            }
            #expect(house.scheduler.script.value.calls == ["SetDrain true", "SetDrain false"])
            for body in ["", "true", "{}", #"{"drain": "true"}"#, #"{"drain": true, "off": 1}"#, #"{"drain": null}"#] {
                let answer = try await house.ask("POST", "/drain", body: body)
                #expect(answer.status == 400 && answer.place == "body", "\(body)")
            }
            #expect(house.scheduler.script.value.calls.count == 2)
        }
    }

    @Test func metricsAreSchedulerdsAndOurs() async throws {
        try await withHouse { house in
            _ = try await house.ask("GET", "/jobs/1")
            _ = try await house.ask("GET", "/jobs/3")
            _ = try await house.ask("GET", "/jobs/9")
            _ = try await house.ask("GET", "/nowhere/\"x")
            let answer = try await house.ask("GET", "/metrics")
            #expect(answer.status == 200)
            #expect(answer.header("content-type") == "text/plain; version=0.0.4; charset=utf-8")
            #expect(answer.text.hasPrefix("# TYPE bulkhead_jobs gauge\nbulkhead_jobs{state=\"queued\"} 1\n# HELP"))
            let lines = Set(answer.text.split(separator: "\n").map(String.init))
            for line in [
                #"bulkhead_api_requests_total{method="GET",route="/jobs/{id}",status="2xx"} 2"#,
                #"bulkhead_api_requests_total{method="GET",route="/jobs/{id}",status="4xx"} 1"#,
                // A stranger's path is no label.
                #"bulkhead_api_requests_total{method="",route="",status="4xx"} 1"#,
                "bulkhead_api_connections_total 5",
            ] {
                #expect(lines.contains(line), "\(line) is not in \(answer.text)")
            }
            let memory = try #require(lines.first { $0.hasPrefix("bulkhead_api_resident_memory_bytes ") })
            let bytes = try #require(UInt64(memory.split(separator: " ")[1]))
            #expect(bytes > 1 << 20)
            #expect(!answer.text.contains("nowhere"))
        }
    }

    @Test func metricsWithoutARightOrASchedulerd() async throws {
        try await withHouse { house in
            for token in ["wrong", nil] {
                let answer = try await house.ask("GET", "/metrics", token: token)
                #expect(answer.status == 401)
            }
            await house.stopScheduler()
            let answer = try await house.ask("GET", "/metrics")
            #expect(answer.status == 503)
        }
    }
}
