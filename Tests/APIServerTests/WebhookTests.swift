// Webhooks: a delivery arrives whole and unread, and whoever sends what is not genuine learns nothing.

import APIServer
import Foundation
import Link
import Testing
import Wire

@Suite(.timeLimit(.minutes(2)))
struct WebhookTests {
    private static let signed = [
        "Content-Type: application/json", "X-GitHub-Event: push", "X-Hub-Signature-256: sha256=00",
        "X-Hub-Signature: sha1=00", "User-Agent: somebody",
    ]

    @Test func aDeliveryArrivesWholeWithTheHeadersThatMatter() async throws {
        try await withHouse { house in
            let body = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
            let answer = try await house.send("POST", "/webhook/github/shop", headers: Self.signed, body: body)
            #expect(answer.status == 202 && answer.text == #"{"created":true,"delivery":7}"#)
            let delivery = try #require(house.scheduler.script.value.deliveries.first)
            #expect(delivery.body == body)
            #expect(delivery.request.forge == .github && delivery.request.project == "shop")
            #expect(
                delivery.request.headers.map(\.name) == ["content-type", "x-github-event", "x-hub-signature-256"])
        }
    }

    @Test(arguments: [
        ("/webhook/job", ForgeKind.gitlab), ("/webhook/gitlab", .gitlab), ("/webhook/gitea", .gitea),
        ("/webhook/forgejo", .forgejo), ("/webhook/github", .github),
    ])
    func theAddressSaysWhoseItIs(_ path: String, _ forge: ForgeKind) async throws {
        try await withHouse { house in
            let known = try await house.send("POST", path, headers: Self.signed, body: [1])
            #expect(known.status == 202)
            #expect(house.scheduler.script.value.deliveries.first?.request.forge == forge)
            let strange = try await house.send("POST", "/webhook/sourceforge", headers: Self.signed, body: [1])
            #expect(strange.status == 404)
            #expect(house.scheduler.script.value.deliveries.count == 1)
        }
    }

    /// Also a second value of a header, which others would take instead of the first.
    @Test func repeatedHeadersGoOnAsTheyCame() async throws {
        try await withHouse { house in
            let headers = Self.signed + ["X-Hub-Signature-256: sha256=11"]
            _ = try await house.send("POST", "/webhook/github", headers: headers, body: [1])
            let values = house.scheduler.script.value.deliveries.first?.request.headers
                .filter { $0.name == "x-hub-signature-256" }.map(\.value)
            #expect(values == ["sha256=00", "sha256=11"])
        }
    }

    @Test func whatIsNotGenuineGetsOneAnswer() async throws {
        try await withHouse { house in
            house.scheduler.script.change {
                $0.deliveryRefusal = Failure(.unauthorized, "project 'shop': wrong", place: "body")
            }
            var texts: Set<String> = []
            for path in ["/webhook/github/shop", "/webhook/github/nobody", "/webhook/github"] {
                let answer = try await house.send("POST", path, headers: Self.signed, body: [1])
                #expect(answer.status == 401)
                texts.insert(answer.text)
            }
            // Nobody has even asked about this one.
            let long = ["X-Hub-Signature-256: \(String(repeating: "a", count: 2000))"]
            texts.insert(try await house.send("POST", "/webhook/github/shop", headers: long, body: [1]).text)
            #expect(texts.count == 1 && texts.first?.contains("shop") == false)
        }
    }

    @Test func brokerdAwayIsSaidAsThat() async throws {
        try await withHouse { house in
            house.scheduler.script.change { $0.deliveryRefusal = Failure(.disconnected, "", place: "brokerd") }
            let answer = try await house.send("POST", "/webhook/github/shop", headers: Self.signed, body: [1])
            #expect(answer.status == 503 && answer.header("retry-after") != nil)
        }
    }

    @Test func bodiesHaveABoundEachAndAllTogether() async throws {
        var limits = HTTPLimits()
        (limits.webhookBytes, limits.webhookRoom) = (1000, 2000)
        try await withHouse(limits) { house in
            let large = try await house.send(
                "POST", "/webhook/github", headers: Self.signed, body: [UInt8](repeating: 1, count: 1001))
            #expect(large.status == 413)
            // Most of one that goes on, and another for which there is no room beside it; in a project of its own, too.
            let slow = try house.client()
            try await slow.request("POST", "/webhook/github/shop", headers: Self.signed + ["Content-Length: 1000"])
            try await slow.send(String(repeating: "a", count: 900))
            let body = [UInt8](repeating: 1, count: 1000)
            var status = 202
            for _ in 0..<200 where status == 202 {
                status = try await house.send("POST", "/webhook/github/shop", headers: Self.signed, body: body).status
            }
            #expect(status == 429)
            #expect(
                try await house.send("POST", "/webhook/github/yard", headers: Self.signed, body: body).status == 503)
            let small = Array(body.prefix(500))
            #expect(
                try await house.send("POST", "/webhook/github/yard", headers: Self.signed, body: small).status == 202)
            try await slow.send(String(repeating: "a", count: 100))
            #expect(try await slow.answer().status == 202)
            let after = try await house.send("POST", "/webhook/github/shop", headers: Self.signed, body: body)
            #expect(after.status == 202)
        }
    }

    /// A storm of one project, and another one's only delivery.
    @Test func aProjectsStormLeavesRoomForTheOthers() async throws {
        var limits = HTTPLimits()
        limits.webhooks = 8
        try await withHouse(limits) { house in
            house.scheduler.script.change { $0.holdsDeliveries = true }
            let taken = try (0..<4).map { _ in try house.client() }
            for client in taken { try await client.request("POST", "/webhook/github/shop", headers: Self.signed) }
            while house.scheduler.script.value.deliveries.count < 4 { try await Task.sleep(for: .milliseconds(5)) }
            let refused = try await house.send("POST", "/webhook/github/shop", headers: Self.signed)
            #expect(refused.status == 429 && refused.header("retry-after") == "2")
            // Its connection is for those who wait for one.
            #expect(refused.header("connection") == "close")
            let other = try house.client()
            try await other.request("POST", "/webhook/github/yard", headers: Self.signed)
            while house.scheduler.script.value.deliveries.count < 5 { try await Task.sleep(for: .milliseconds(5)) }
            house.scheduler.releaseDeliveries()
            for client in taken + [other] { #expect(try await client.answer().status == 202) }
            #expect(try await house.send("POST", "/webhook/github/shop", headers: Self.signed).status == 202)
        }
    }

    /// What is handed on lies in memory as long as nobody has answered.
    @Test func aBodyKeepsItsRoomUntilItIsAnswered() async throws {
        var limits = HTTPLimits()
        (limits.webhookBytes, limits.webhookRoom) = (1000, 2000)
        try await withHouse(limits) { house in
            house.scheduler.script.change { $0.holdsDeliveries = true }
            let body = [UInt8](repeating: 1, count: 1000)
            let first = try house.client()
            try await first.request("POST", "/webhook/github", headers: Self.signed, body: body)
            while house.scheduler.script.value.deliveries.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
            #expect(try await house.send("POST", "/webhook/github", headers: Self.signed, body: body).status == 429)
            house.scheduler.releaseDeliveries()
            #expect(try await first.answer().status == 202)
            #expect(try await house.send("POST", "/webhook/github", headers: Self.signed, body: body).status == 202)
        }
    }

    @Test func projectsAndApprovalsAskForAToken() async throws {
        try await withHouse { house in
            let order = try OrderTests.order.encoded()
            let change = try JSONEncoder().encode(["document": "{}", "order": Data(order).base64EncodedString()])
            let calls: [(String, String, [UInt8])] = [
                ("GET", "/projects", []), ("GET", "/projects/shop", []), ("PUT", "/projects/shop", [UInt8](change)),
                ("GET", "/projects/shop/forge", []), ("GET", "/deliveries", []), ("GET", "/jobs/2/held", []),
                ("POST", "/jobs/2/approve", order),
            ]
            for (method, path, body) in calls {
                #expect(try await house.send(method, path, body: body).status == 200, "\(method) \(path)")
            }
            #expect(house.scheduler.script.value.applied.first?.order == OrderTests.order)
            let wrong = try await house.send("PUT", "/projects/shop", body: Array(#"{"document": {}}"#.utf8))
            #expect(wrong.status == 400 && wrong.place == "document")
        }
    }
}
