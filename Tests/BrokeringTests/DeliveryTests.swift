// Webhooks: what a delivery has to be, and that nobody learns from outside why one is refused.

import Link
import LinkBlocking
import Testing
import Wire

extension BrokeringTests {
    @Suite struct DeliveryTests {
        @Test func aGenuineDeliveryIsStated() throws {
            let house = try Shop.house()
            let word = try house.scheduler().deliver(.push())
            guard case .push(let push) = word.event else { throw HarnessError(description: "\(word.event)") }
            #expect(word.project == "shop" && word.revision == Bytes32(1, 2, 3, 4))
            #expect(push.after == Shop.head && push.reference == GitReference(tag: false, name: "main"))
        }

        @Test func withoutAProjectEveryKeyIsTried() throws {
            let house = try Shop.house()
            let client = try house.scheduler()
            let other = try Shop.policy {
                $0.project = "another"
                $0.repositoryId = 9
            }
            try client.execute(house.admin, try house.admin.apply(other))
            try client.execute(house.admin, try house.admin.set("webhook-key", [1, 2], project: "another"))
            var hook = Hook.push()
            hook.project = ""
            #expect(try client.deliver(hook).project == "shop")
        }

        /// Each of them is refused, in the same words.
        @Test(
            arguments: [
                ("another key", { $0.key = [1] }), ("no such project", { $0.project = "nobody" }),
                ("an empty signature", { $0.signature = "" }), ("half a signature", { $0.signature = "sha256=00" }),
                ("SHA-1", { $0.signature = "sha1=0000000000000000000000000000000000000000" }),
                ("of another repository", { $0.body = $0.body.replacing("4711", with: "4713") }),
                (
                    "a change into another repository",
                    {
                        $0 = .change(); $0.body = $0.body.replacing("4711", with: "4713")
                    }
                ),
            ] as [(String, @Sendable (inout Hook) -> Void)])
        func whatIsNotGenuineIsRefused(_ what: String, _ spoil: @Sendable (inout Hook) -> Void) throws {
            let house = try Shop.house()
            let client = try house.scheduler()
            // The control: as it was, it passes.
            _ = try client.deliver(.push())
            var hook = Hook.push()
            spoil(&hook)
            #expect(try refusal { _ = try client.deliver(hook) } == .unauthorized)
        }

        @Test func withoutAKeyNothingIsGenuine() throws {
            let house = try BrokerHouse.running()
            let client = try house.scheduler()
            try client.execute(house.admin, try house.admin.apply(try Shop.policy()))
            var hook = Hook.push()
            hook.key = []
            #expect(try refusal { _ = try client.deliver(hook) } == .unauthorized)
        }

        @Test func aGenuineOneThatCannotBeReadIsInvalid() throws {
            let house = try Shop.house()
            #expect(try refusal { _ = try house.scheduler().deliver(Hook(body: "{")) } == .invalid)
        }

        @Test func aCommentThatApprovesIsStatedAsThat() throws {
            let house = try Shop.house()
            let client = try house.scheduler()
            let word = try client.deliver(.comment("/bulkhead approve \(Shop.head)"))
            guard case .approval(let asks) = word.event else { throw HarnessError(description: "\(word.event)") }
            #expect(asks.number == 7 && asks.head == Shop.head && asks.by.id == 1)
            guard case .idle = try client.deliver(.comment("> /bulkhead approve \(Shop.head)")).event else {
                throw HarnessError(description: "a quote approves")
            }
        }

        @Test func theRulesOfAProjectComeUnderSeal() throws {
            let house = try Shop.house()
            let client = try house.scheduler()
            #expect(try client.call(BrokerEdge.ListPolicies(after: "")).message.policies.map(\.project) == ["shop"])
            try house.restart()
            let again = try house.scheduler()
            #expect(try again.deliver(.push()).project == "shop")
            let lies = try house.admin.seal(
                .setProject(.init(project: "other")), value: try Shop.policy().encoded())
            #expect(try refusal { try again.execute(house.admin, lies) } == .invalid)
            let greedy = try Shop.policy {
                $0.secrets[0].name = "webhook-key"
            }
            #expect(try refusal { try again.execute(house.admin, try house.admin.apply(greedy)) } == .invalid)
            try again.execute(house.admin, try house.admin.seal(.removeProject(.init(project: "shop"))))
            #expect(try refusal { _ = try again.deliver(.push()) } == .unauthorized)
            #expect(try house.audited(.projectSet).count == 1 && house.audited(.projectRemoved).count == 1)
        }
    }
}
