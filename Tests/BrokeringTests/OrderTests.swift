// Orders on their way through hands that may be anybody's: schedulerd's side of the broker edge.

import Link
import LinkBlocking
import Orders
import Posix
import Testing
import Vault
import Wire

extension BrokeringTests {
    @Suite struct OrderTests {
        @Test func secretsAreSetListedAndRemoved() throws {
            let house = try BrokerHouse.running()
            let client = try house.scheduler()
            try client.execute(house.admin, try house.admin.set("b", [1]))
            try client.execute(house.admin, try house.admin.set("a", [2]))
            try client.execute(house.admin, try house.admin.set("a", [3]))
            try client.execute(house.admin, try house.admin.set("c", [3], project: "other"))
            #expect(try client.secrets(house.admin) == ["a", "b"])
            try client.execute(house.admin, try house.admin.seal(.removeSecret(.init(project: "default", name: "a"))))
            #expect(try client.secrets(house.admin) == ["b"])
            let gone = try house.admin.seal(.removeSecret(.init(project: "default", name: "a")))
            #expect(try refusal { try client.execute(house.admin, gone) } == .notFound)
            #expect(try house.audited(.secretSet).count == 4)
            #expect(try house.audited(.secretRemoved).count == 1)
            try house.restart()
            #expect(try house.scheduler().secrets(house.admin, project: "other") == ["c"])
        }

        @Test func listsComeInPages() throws {
            let names = (0..<130).map { "secret-\(1000 + $0)" }
            let house = try BrokerHouse.running(Dictionary(uniqueKeysWithValues: names.map { ($0, [1]) }))
            let client = try house.scheduler()
            let list = BrokerEdge.ListSecrets(token: house.admin.token, project: "default", after: "")
            let first = try client.call(list).message
            #expect(first.secrets.map(\.name) == Array(names.prefix(128)) && first.more)
            let rest = BrokerEdge.ListSecrets(token: house.admin.token, project: "default", after: names[127])
            let second = try client.call(rest).message
            #expect(second.secrets.map(\.name) == Array(names.suffix(2)) && !second.more)
        }

        @Test func alteredOrdersAreRefused() throws {
            let house = try BrokerHouse.running()
            let client = try house.scheduler()
            let good = try house.admin.set("deploy", [1, 2, 3])
            let changes: [(inout SealedOrder) -> Void] = [
                { $0.order[0] ^= 1 }, { $0.value[0] ^= 1 }, { $0.order.removeLast() }, { $0.value = [] },
                { $0.encapsulated = .random() }, { $0.key = .random() },
            ]
            for change in changes {
                var bad = good
                change(&bad)
                let code = try refusal { try client.execute(house.admin, bad) }
                #expect(code == .orderRefused || code == .invalid)
            }
            #expect(try client.secrets(house.admin).isEmpty)
            try client.execute(house.admin, good)  // the control: unaltered it passes
            #expect(try client.secrets(house.admin) == ["deploy"])
        }

        @Test func anOrderIsCarriedOutOnce() throws {
            let house = try BrokerHouse.running()
            let client = try house.scheduler()
            let (early, order) = (house.admin.time(), try house.admin.set("deploy", [1]))
            let older = try house.admin.seal(
                .setSecret(.init(project: "default", name: "deploy")), value: [2], at: early)
            try client.execute(house.admin, order)
            #expect(try refusal { try client.execute(house.admin, order) } == .conflict)
            #expect(try refusal { try client.execute(house.admin, older) } == .conflict)
            try house.restart()
            #expect(try refusal { try house.scheduler().execute(house.admin, order) } == .conflict)
            #expect(try house.audited(.secretSet).count == 1)
        }

        @Test(arguments: [-601_000, 601_000, -86_400_000] as [Int64])
        func ordersOfAnotherTimeAreRefused(_ off: Int64) throws {
            let house = try BrokerHouse.running()
            let client = try house.scheduler()
            let time = Posix.wallMilliseconds() + off
            let order = try house.admin.seal(.setSecret(.init(project: "default", name: "a")), value: [1], at: time)
            #expect(try refusal { try client.execute(house.admin, order) } == .orderRefused)
            let wish = Wish()
            let submit = try house.admin.seal(wish.order, at: time)
            #expect(try refusal { _ = try client.call(wish.vouch(house.admin, order: submit)) } == .orderRefused)
            for extreme in [Int64.min, .max] {
                let order = try house.admin.seal(
                    .setSecret(.init(project: "default", name: "a")), value: [1], at: extreme)
                #expect(try refusal { try client.execute(house.admin, order) } == .orderRefused)
            }
        }

        /// Whoever has only the token (apid and schedulerd see it), or only a key of their own.
        @Test func tokenAndKeyGoTogether() throws {
            let house = try BrokerHouse.running(["deploy": [1]])
            let client = try house.scheduler()
            let thief = Person(broker: try BrokerKeys(master: house.master).publicKey)
            let order = try thief.set("deploy", [6, 6, 6])
            let withToken = BrokerEdge.Execute(token: house.admin.token, order: order)
            #expect(try refusal { _ = try client.call(withToken) } == .orderRefused)
            var claimed = order
            claimed.key = house.admin.key.publicKey
            let claiming = BrokerEdge.Execute(token: house.admin.token, order: claimed)
            #expect(try refusal { _ = try client.call(claiming) } == .orderRefused)
            #expect(try refusal { try client.execute(thief, order) } == .unauthorized)
            #expect(try refusal { try client.execute(thief, try house.admin.set("deploy", [6])) } == .unauthorized)
            #expect(try refusal { _ = try client.secrets(thief) } == .unauthorized)
            #expect(try house.audited(.secretSet).count == 1)
        }

        @Test(arguments: [
            "", ".a", "-a", "a b", "a/b", "ä", "bulkhead-job-token", String(repeating: "a", count: 64) + "b",
        ])
        func namesOfSecretsAreNames(_ name: String) throws {
            let house = try BrokerHouse.running()
            let client = try house.scheduler()
            guard (1...64).contains(name.utf8.count) else {
                #expect(throws: OrderError.self) { try house.admin.set(name, [1]) }
                return
            }
            #expect(try refusal { try client.execute(house.admin, try house.admin.set(name, [1])) } == .invalid)
            let project = try house.admin.set("a", [1], project: name)
            if name != "bulkhead-job-token" {
                #expect(try refusal { try client.execute(house.admin, project) } == .invalid)
            }
        }

        @Test func valuesHaveTheirSize() throws {
            let house = try BrokerHouse.running()
            let client = try house.scheduler()
            #expect(try refusal { try client.execute(house.admin, try house.admin.set("a", [])) } == .invalid)
            try client.execute(house.admin, try house.admin.set("a", [UInt8](repeating: 1, count: 8192)))
            #expect(throws: OrderError.tooLarge(limit: 8192)) {
                try house.admin.set("a", [UInt8](repeating: 1, count: 8193))
            }
        }

        @Test func everyKindOfOrderHasItsDoor() throws {
            let house = try BrokerHouse.running(["deploy": [1]])
            let client = try house.scheduler()
            let wish = Wish()
            let submit = try house.admin.seal(wish.order)
            #expect(try refusal { try client.execute(house.admin, submit) } == .orderRefused)
            let set = try house.admin.set("deploy", [2])
            #expect(try refusal { _ = try client.call(wish.vouch(house.admin, order: set)) } == .orderRefused)
        }
    }
}
