// Webhooks: what a delivery has to be, and that nobody learns from outside why one is refused.

import Link
import LinkBlocking
import Testing
import Vault
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

        enum Spoiled: CaseIterable {
            case key, project, noSignature, shortSignature, oldSignature, repository, change

            var hook: Hook {
                var hook = Hook.push()
                switch self {
                case .key: hook.key = [1]
                case .project: hook.project = "nobody"
                case .noSignature: hook.signature = ""
                case .shortSignature: hook.signature = "sha256=00"
                case .oldSignature: hook.signature = "sha1=" + String(repeating: "0", count: 40)
                case .repository: hook.body = hook.body.replacing("4711", with: "4713")
                case .change: hook = .change(into: 4713)
                }
                return hook
            }
        }

        @Test(arguments: Spoiled.allCases) func whatIsNotGenuineIsRefused(_ spoiled: Spoiled) throws {
            let house = try Shop.house()
            let client = try house.scheduler()
            // The control: as it was, it passes.
            _ = try client.deliver(.push())
            #expect(try refusal { _ = try client.deliver(spoiled.hook) } == .unauthorized)
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
