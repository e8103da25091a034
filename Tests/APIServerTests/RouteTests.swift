// Every route over a real socket, against a scripted schedulerd; every answer is held against the OpenAPI document.

import Foundation
import JobModel
import Testing
import Wire

@Suite(.timeLimit(.minutes(2)))
struct RouteTests {
    private static let job = #"{"image": "bulkhead/busybox", "steps": ["true"]}"#

    private static func real(_ path: String, id: String = "1") -> String {
        path.replacingOccurrences(of: "{id}", with: id).replacingOccurrences(of: "{project}", with: "shop")
    }

    @Test func healthAsksNobody() async throws {
        try await withHouse(script: nil) { house in
            let answer = try await house.ask("GET", "/health", token: nil)
            #expect(answer.status == 200)
            #expect(answer.text == #"{"status":"ok"}"#)
            #expect(answer.header("content-type") == "application/json")
            #expect(answer.header("server") == "bulkhead")
        }
    }

    @Test func withoutSchedulerd() async throws {
        try await withHouse(script: nil) { house in
            for path in ["/status", "/jobs", "/jobs/1", "/jobs/1/log", "/runners"] {
                let answer = try await house.ask("GET", path)
                #expect(answer.status == 503, "\(path)")
                #expect(answer.code == "disconnected", "\(path)")
                #expect(answer.header("retry-after") != nil, "\(path)")
            }
        }
    }

    @Test func aSilentEngineIsNotShown() async throws {
        try await withHouse { house in
            let before = try await house.ask("GET", "/status")
            #expect(before.text.contains(#""engine":"Docker 20.10""#) && !before.text.contains("engine_detail"))
            house.scheduler.script.change { script in
                script.status.engine = ""
                script.status.daemons = [.init(role: .spawnerd, connected: true, detail: "it sleeps")]
            }
            let after = try await house.ask("GET", "/status")
            #expect(!after.text.contains(#""engine":"#) && after.text.contains(#""engine_detail":"it sleeps""#))
            let document = try OpenAPICheck(try await house.ask("GET", "/openapi.json", token: nil))
            #expect(document.problems(of: after, "GET", "/status") == [])
        }
    }

    @Test func answersFitTheDocument() async throws {
        try await withHouse { house in
            let document = try OpenAPICheck(try await house.ask("GET", "/openapi.json", token: nil))
            func check(_ method: String, _ path: String, _ status: Int, as row: String, body: String? = nil)
                async throws
            {
                let answer = try await house.ask(method, path, body: body)
                #expect(answer.status == status, "\(method) \(path): \(answer.text)")
                #expect(document.problems(of: answer, method, row) == [], "\(method) \(path)")
            }
            try await check("GET", "/health", 200, as: "/health")
            try await check("GET", "/status", 200, as: "/status")
            try await check("GET", "/jobs", 200, as: "/jobs")
            try await check("GET", "/jobs/1", 200, as: "/jobs/{id}")
            try await check("GET", "/jobs/3", 200, as: "/jobs/{id}")
            try await check("GET", "/jobs/9", 404, as: "/jobs/{id}")
            try await check("POST", "/jobs", 201, as: "/jobs", body: Self.job)
            try await check("POST", "/jobs", 400, as: "/jobs", body: #"{"steps": []}"#)
            try await check("DELETE", "/jobs/1", 202, as: "/jobs/{id}")
            try await check("GET", "/runners", 200, as: "/runners")
            try await check("POST", "/runners", 201, as: "/runners", body: #"{"image": "bulkhead/debian"}"#)
            try await check("DELETE", "/runners/\(ScriptedScheduler.runner.hex)", 202, as: "/runners/{id}")
            try await check("DELETE", "/runners/\(Bytes16(high: 9, low: 9).hex)", 404, as: "/runners/{id}")
            try await check("POST", "/sources", 201, as: "/sources", body: "a tar")
            try await check("GET", "/jobs/1/why", 200, as: "/jobs/{id}/why")
            try await check("GET", "/jobs/9/why", 404, as: "/jobs/{id}/why")
            try await check("GET", "/pools", 200, as: "/pools")
            try await check("POST", "/drain", 200, as: "/drain", body: #"{"drain": true}"#)
            try await check("POST", "/drain", 400, as: "/drain", body: #"{"drain": 1}"#)
            try await check("GET", "/projects/shop/secrets", 200, as: "/projects/{project}/secrets")
            try await check("GET", "/whoami", 200, as: "/whoami")
            try await check("GET", "/users?after=a", 200, as: "/users")
            try await check("GET", "/users?after=/", 400, as: "/users")
            try await check("GET", "/tokens?user=alice", 200, as: "/tokens")
            try await check("POST", "/orders", 400, as: "/orders", body: "no order")
        }
    }

    /// A schema checker that accepts everything would make the test above worthless.
    @Test func theCheckerRefuses() async throws {
        try await withHouse { house in
            let document = try OpenAPICheck(try await house.ask("GET", "/openapi.json", token: nil))
            func problems(_ body: String) -> [String] {
                let answer = Answer(
                    status: 200, headers: ["content-type": ["application/json"]], body: Array(body.utf8))
                return document.problems(of: answer, "GET", "/health")
            }
            #expect(problems(#"{"status": "ok"}"#) == [])
            #expect(problems(#"{"status": 3}"#) != [])
            #expect(problems(#"{}"#) != [])
            #expect(problems(#"{"status": "ok", "more": 1}"#) != [])
        }
    }

    @Test func theDocumentIsTrue() async throws {
        try await withHouse { house in
            let document = try OpenAPICheck(try await house.ask("GET", "/openapi.json", token: nil))
            #expect(document.version == "3.1.0")
            let rows = document.rows
            #expect(rows.count == 31 && rows.contains { $0 == ("POST", "/sources") })
            for (path, methods) in Dictionary(grouping: rows, by: \.path) {
                let real = Self.real(path)
                let known = methods.map(\.method).sorted()
                for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"] {
                    let answer = try await house.ask(method, real, token: nil)
                    if known.contains(method) {
                        #expect(answer.status != 405, "\(method) \(path)")
                    } else {
                        #expect(answer.status == 405, "\(method) \(path)")
                        #expect(answer.header("allow") == known.joined(separator: ", "))
                    }
                }
            }
        }
    }

    @Test func everyRouteWantsAToken() async throws {
        try await withHouse { house in
            let document = try OpenAPICheck(try await house.ask("GET", "/openapi.json", token: nil))
            let order = SealedOrder(
                key: OrderTests.order.key, encapsulated: OrderTests.order.encapsulated,
                order: OrderTests.order.order, value: [])
            let header = Data(try order.encoded()).base64EncodedString()
            let change = ["document": "{}", "order": header]
            for (method, path) in document.rows {
                let real = Self.real(path, id: path.hasPrefix("/runners") ? Bytes16.random().hex : "1")
                let body =
                    switch path {
                    case "/drain": Array(#"{"drain": true}"#.utf8)
                    case "/runners": Array(#"{"image": "a"}"#.utf8)
                    case "/orders", "/jobs/{id}/approve": try order.encoded()
                    case "/projects/{project}": [UInt8](try JSONEncoder().encode(change))
                    default: Array(Self.job.utf8)
                    }
                let brings = ["POST", "PUT"].contains(method)
                let answer = try await house.send(
                    method, real, token: "wrong", headers: method == "DELETE" ? ["Bulkhead-Order: \(header)"] : [],
                    body: brings ? body : nil)
                if document.isOpen(method, path) {
                    // There is no such forge.
                    let isWebhook = path.hasPrefix("/webhook")
                    #expect(answer.status == (isWebhook ? 404 : 200), "\(method) \(path)")
                } else {
                    #expect(answer.status == 401, "\(method) \(path): \(answer.text)")
                    #expect(answer.header("www-authenticate") == "Bearer")
                }
            }
            #expect(
                document.rows.filter { document.isOpen($0.method, $0.path) }.map(\.path).sorted() == [
                    "/health", "/openapi.json", "/webhook/{forge}", "/webhook/{forge}/{project}",
                ])
        }
    }

    @Test func everyErrorCodeHasAStatus() async throws {
        let expected: [String: Int] = [
            "unauthorized": 401, "not_found": 404, "invalid": 400, "conflict": 409, "too_large": 413,
            "limit_reached": 429, "not_ready": 409, "incomplete": 400, "storage_full": 507, "denied_by_policy": 403,
            "image_missing": 400, "image_refused": 400, "engine_unavailable": 503, "engine_refused": 503,
            "userns_missing": 503, "runner_gone": 503, "busy": 409, "deadline_exceeded": 504, "disconnected": 503,
            "shutting_down": 503, "frame_too_large": 413, "audit_failed": 503, "ticket_refused": 403,
            "grant_gone": 503, "order_refused": 403, "forge_unavailable": 503, "forge_refused": 502,
        ]
        try await withHouse { house in
            for code in ErrorCode.all {
                let answer = try await house.ask("GET", "/jobs/\(1000 + UInt64(code.rawValue))")
                #expect(answer.status == expected[code.name] ?? 500, "\(code.name)")
                #expect(answer.code == code.name)
                // Of a lost link apid speaks for itself.
                if code != .disconnected { #expect(answer.message == "as told" && answer.place == "here") }
                #expect((answer.header("retry-after") != nil) == (code.retry == .later), "\(code.name)")
            }
            // Of a newer schedulerd.
            let answer = try await house.ask("GET", "/jobs/1900")
            #expect(answer.status == 500 && answer.code == "unrecognized")
        }
    }

    @Test func pathsThatAreNone() async throws {
        try await withHouse { house in
            for path in ["/", "/job", "/jobs/1/logs", "/jobs//log", "/jobs/1/log/2", "/health/x", "/%2e%2e/etc/passwd"]
            {
                let answer = try await house.ask("GET", path)
                #expect(answer.status == 404, "\(path)")
                #expect(answer.code == "not_found", "\(path)")
            }
            for id in ["0", "x", "-1", "18446744073709551616", "1%00", "%31x"] {
                #expect(try await house.ask("GET", "/jobs/\(id)").status == 404, "\(id)")
            }
            #expect(try await house.ask("DELETE", "/runners/abc").status == 404)
            #expect(house.scheduler.script.value.calls == [])
        }
    }

    @Test func aHeadHasNoBody() async throws {
        try await withHouse { house in
            let client = try house.client()
            try await client.request("HEAD", "/health")
            #expect(try await client.answer(bodiless: true).status == 405)
            // What comes next is the next answer, and not the body of the first.
            try await client.request("GET", "/health")
            #expect(try await client.answer().text == #"{"status":"ok"}"#)
        }
    }

    @Test func queries() async throws {
        try await withHouse { house in
            #expect(try await house.ask("GET", "/jobs?limit=2&before=9&state=running").status == 200)
            let listed = try #require(house.scheduler.script.value.listed.first)
            #expect(listed.limit == 2 && listed.before == 9 && listed.state == .running)
            for (query, place) in [
                ("limit=0", "limit"), ("limit=51", "limit"), ("limit=x", "limit"), ("before=-1", "before"),
                ("before=99999999999999999999", "before"), ("state=nothing", "state"),
            ] {
                let answer = try await house.ask("GET", "/jobs?\(query)")
                #expect(answer.status == 400 && answer.place == place, "\(query)")
            }
            #expect(try await house.ask("DELETE", "/jobs/1?grace=601").place == "grace")
            #expect(try await house.ask("DELETE", "/jobs/1?grace=600").status == 202)
            #expect(try await house.ask("DELETE", "/jobs/1").status == 202)
            #expect(house.scheduler.script.value.calls.suffix(2) == ["CancelJob 600", "CancelJob 10"])
        }
    }
}
