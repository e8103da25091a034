// Bodies from people nobody knows: what they may cost, and what is told of them.

import Foundation
import Testing
import Wire

@Suite(.timeLimit(.minutes(2)))
struct BodyTests {
    /// Without a token no parser sees a byte and schedulerd is not asked: it is not even there.
    @Test func whoShowsNoTokenIsNotRead() async throws {
        try await withHouse(script: nil) { house in
            for (method, path) in [
                ("POST", "/jobs"), ("POST", "/runners"), ("POST", "/orders"), ("POST", "/sources"), ("GET", "/jobs"),
                ("GET", "/jobs/1"), ("DELETE", "/jobs/1"), ("GET", "/jobs/x/log"), ("GET", "/runners"),
                ("DELETE", "/runners/x"), ("GET", "/status"), ("GET", "/projects/-/secrets"),
            ] {
                let body = method == "POST" ? "[[[[ nonsense" : nil
                for headers in [[], ["Authorization: Bearer "], ["Authorization: Basic eA=="]] {
                    let answer = try await house.ask(method, path, token: nil, headers: headers, body: body)
                    #expect(answer.status == 401 && answer.code == "unauthorized", "\(method) \(path) \(answer.text)")
                    #expect(answer.header("www-authenticate") == "Bearer")
                }
            }
            #expect(try await house.ask("POST", "/jobs", body: "nonsense").status == 400)
        }
    }

    @Test(arguments: [("[", "]"), (#"{"a":"#, "}")])
    func depth(_ open: String, _ close: String) async throws {
        func body(_ levels: Int) -> String {
            // One level is the body's own object.
            let left = String(repeating: open, count: levels - 1)
            let right = String(repeating: close, count: levels - 1)
            return #"{"image": "a", "steps": \#(left)1\#(right)}"#
        }
        try await withHouse { house in
            let deepest = try await house.ask("POST", "/jobs", body: body(16))
            #expect(deepest.status == 400 && deepest.message?.contains("nested") == false, "\(deepest.text)")
            for levels in [17, 250, 500, 10_000] {
                let answer = try await house.ask("POST", "/jobs", body: body(levels))
                #expect(answer.status == 400 && answer.place == "body", "\(levels): \(answer.text)")
                #expect(answer.message?.contains("more than 16 deep at line 1, column") == true, "\(answer.text)")
            }
        }
    }

    @Test func twiceIsOnceTooOften() async throws {
        let source = #"{"sha256": "\#(String(repeating: "0f", count: 32))", "size": 1}"#
        try await withHouse { house in
            for (body, place) in [
                (#"{"image": "a", "image": "b", "steps": ["c"]}"#, "image"),
                (#"{"image": "a", "im\u0061ge": "a", "steps": ["c"]}"#, "image"),
                (#"{"image": "a", "steps": [{"run": "good", "run": "bad"}]}"#, "steps[0].run"),
                (#"{"image": "a", "steps": ["c"], "env": {"A": "1", "A": "2"}}"#, "env.A"),
                (#"{"image": "a", "steps": ["c"], "resources": {"pids": 9, "pids": 9}}"#, "resources.pids"),
                (#"{"image": "a", "steps": ["c"], "source": \#(source), "source": null}"#, "source"),
            ] {
                let answer = try await house.ask("POST", "/jobs", body: body)
                #expect(answer.status == 400 && answer.place == place, "\(body): \(answer.text)")
                #expect(answer.message?.contains("given twice") == true, "\(answer.text)")
            }
            let twice = #"{"image": "a", "steps": ["c"], "source": {"sha256": "00", "size": 1, "size": 2}}"#
            #expect(try await house.ask("POST", "/jobs", body: twice).place == "source")
            let shape = try await house.ask("POST", "/runners", body: #"{"image": "a", "image": "b"}"#)
            #expect(shape.status == 400 && shape.place == "image", "\(shape.text)")
            #expect(house.scheduler.script.value.calls == [])
        }
    }

    @Test func aHundredMistakesAndHowManyMore() async throws {
        let keys = (0..<1_900).map { #""\#($0)\#(String(repeating: "k", count: 500))": 1"# }
        try await withHouse { house in
            let body = #"{"image": "a", "steps": ["b"], \#(keys.joined(separator: ", "))}"#
            let answer = try await house.ask("POST", "/jobs", body: body)
            #expect(answer.status == 400, "\(answer.message ?? "")")
            #expect(answer.message == "there are 1900 mistakes; these are the first 100")
            let error = try #require(try answer.json["error"] as? [String: Any])
            #expect((error["problems"] as? [Any])?.count == 100)
        }
    }
}
