// Sealed orders and names of secrets: what arrives at schedulerd is what came, and nothing less than an order is sent
// on.

import Foundation
import Link
import Testing
import Wire

@Suite(.timeLimit(.minutes(2)))
struct OrderTests {
    /// As large as an order gets.
    static let order = SealedOrder(
        key: Bytes32(1, 2, 3, 4), encapsulated: Bytes32(5, 6, 7, 8), order: [UInt8](repeating: 9, count: 6144),
        value: [UInt8](repeating: 0xFF, count: 8208))

    /// As one comes with a job.
    private static var header: String {
        get throws {
            let order = SealedOrder(
                key: order.key, encapsulated: order.encapsulated, order: [UInt8](repeating: 9, count: 6144), value: [])
            return "Bulkhead-Order: \(Data(try order.encoded()).base64EncodedString())"
        }
    }

    private static let job = """
        {"project": "shop", "image": "a", "steps": ["true", {"run": "push", "untrusted": false,
         "secrets": {"TOKEN": "npm", "KEY": {"secret": "ssh", "as": "file"}}}, {"run": "test", "untrusted": true}]}
        """

    @Test func anOrderArrivesWhole() async throws {
        try await withHouse { house in
            let answer = try await house.send("POST", "/orders", body: try Self.order.encoded())
            #expect(answer.status == 200 && answer.text == #"{"done":true}"#)
            #expect(house.scheduler.script.value.orders == [Self.order])
        }
    }

    @Test func whatIsNoOrderGoesNoFurther() async throws {
        let whole = try Self.order.encoded()
        try await withHouse { house in
            for body in [[], Array(whole.dropLast()), whole + [0], Array("{}".utf8)] {
                let answer = try await house.send("POST", "/orders", body: body)
                #expect(answer.status == 400 && answer.place == "body", "\(body.count)")
            }
            let large = try await house.send("POST", "/orders", body: [UInt8](repeating: 0, count: 16 * 1024 + 1))
            #expect(large.status == 413)
            #expect(house.scheduler.script.value.calls == [])
        }
    }

    @Test(arguments: [
        (ErrorCode.orderRefused, 403), (.auditFailed, 503), (.conflict, 409), (.notFound, 404), (.storageFull, 507),
    ])
    func refusalsAreTold(_ code: ErrorCode, _ status: Int) async throws {
        var script = ScriptedScheduler.Script()
        script.orderRefusal = Failure(code, "as brokerd says", place: "order")
        try await withHouse(script: script) { house in
            let answer = try await house.send("POST", "/orders", body: try Self.order.encoded())
            #expect(answer.status == status && answer.code == code.name && answer.message == "as brokerd says")
        }
    }

    /// Who is away is said; what Link says of sockets is not.
    @Test func brokerdIsAway() async throws {
        var script = ScriptedScheduler.Script()
        script.orderRefusal = Failure(.disconnected, "/run/broker/socket: connection refused", place: "brokerd")
        try await withHouse(script: script) { house in
            let answer = try await house.send("POST", "/orders", body: try Self.order.encoded())
            #expect(answer.status == 503 && answer.message?.contains("bulkhead-brokerd is away") == true)
            #expect(answer.message?.contains("socket") == false)
        }
    }

    /// Each by its name: who looks for the fault must not begin at another daemon.
    @Test(arguments: [
        (ErrorCode.disconnected, "no link to relayd: socket", "relayd", "bulkhead-relayd is away"),
        (.deadlineExceeded, "in other words", "", "bulkhead-schedulerd has not answered in time"),
        (.deadlineExceeded, "brokerd has not answered in time", "brokerd", "bulkhead-brokerd has not answered in time"),
    ]) func whoIsMissingIsNamed(_ code: ErrorCode, _ text: String, _ place: String, _ says: String) async throws {
        var script = ScriptedScheduler.Script()
        script.orderRefusal = Failure(code, text, place: place)
        try await withHouse(script: script) { house in
            let answer = try await house.send("POST", "/orders", body: try Self.order.encoded())
            #expect(answer.message?.hasPrefix(says) == true, "\(answer.text)")
        }
    }

    @Test func aJobWithSecretsArrivesWithItsOrder() async throws {
        try await withHouse { house in
            let answer = try await house.ask("POST", "/jobs", headers: [try Self.header], body: Self.job)
            #expect(answer.status == 201, "\(answer.text)")
            let script = house.scheduler.script.value
            #expect(script.jobOrders.first??.order == Self.order.order)
            let definition = try #require(script.definitions.first)
            #expect(definition.project == "shop" && definition.spec.shape.untrustedSteps)
            #expect(definition.spec.steps.map(\.untrusted) == [false, false, true])
            #expect(
                definition.spec.steps[1].secrets == [
                    .init(name: "ssh", form: .file, variable: "KEY"),
                    .init(name: "npm", form: .variable, variable: "TOKEN"),
                ])
        }
    }

    @Test func aJobWithSecretsAndNoOrderIsToldWhatToDo() async throws {
        try await withHouse { house in
            let answer = try await house.ask("POST", "/jobs", body: Self.job)
            #expect(answer.status == 403 && answer.code == "order_refused" && answer.place == "Bulkhead-Order")
            #expect(answer.message?.contains("npm, ssh") == true && answer.message?.contains("--key") == true)
            #expect(house.scheduler.script.value.calls == [])
            let token = #"{"image": "a", "steps": [{"run": "b", "secrets": {"T": "bulkhead-job-token"}}]}"#
            #expect(try await house.ask("POST", "/jobs", body: token).status == 201, "the job's own token needs none")
        }
    }

    @Test func headersThatAreNoOrder() async throws {
        try await withHouse { house in
            for value in ["", "???", "AAAA", "Zm9v" + String(repeating: "A", count: 400)] {
                let answer = try await house.ask(
                    "POST", "/jobs", headers: ["Bulkhead-Order: \(value)"], body: #"{"image": "a", "steps": ["b"]}"#)
                #expect(answer.status == 400 && answer.place == "Bulkhead-Order", "\(value)")
            }
            #expect(house.scheduler.script.value.calls == [])
        }
    }

    @Test func secretsAreListedByName() async throws {
        try await withHouse { house in
            let answer = try await house.ask("GET", "/projects/shop.web/secrets?after=apt")
            #expect(
                answer.text
                    == #"{"more":true,"secrets":[{"name":"npm","set_at":"2023-11-14T22:13:20.123Z","set_by":"admin"}]}"#
            )
            let asked = try #require(house.scheduler.script.value.secretLists.first)
            #expect(asked.project == "shop.web" && asked.after == "apt" && asked.token == "good")
            #expect(try await house.ask("GET", "/projects/Shop/secrets").status == 404)
            #expect(try await house.ask("GET", "/projects/shop/secrets?after=a%2Fb").place == "after")
            #expect(house.scheduler.script.value.secretLists.count == 1)
        }
    }

    @Test func jobsSayWhoseTheyAreAndHowFarTheyAreTrusted() async throws {
        try await withHouse { house in
            let job = try await house.ask("GET", "/jobs/1").json
            #expect(job["project"] as? String == "shop" && job["trust"] as? String == "approved")
        }
    }
}
