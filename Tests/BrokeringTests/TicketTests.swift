// Tickets: what schedulerd keeps of brokerd's word, and what becomes of it in the hands of a schedulerd that was taken
// over.

import Brokering
import Link
import LinkBlocking
import Orders
import Posix
import Testing
import Vault
import Wire

extension BrokeringTests {
    @Suite struct TicketTests {
        private let attempt = Attempt(job: 1, attempt: 1, epoch: 1)

        @Test func aTicketSaysWhatWasOrdered() throws {
            let house = try BrokerHouse.running(["deploy": [1]])
            let client = try house.scheduler()
            let wish = Wish(trust: .approved, secrets: ["deploy"])
            let order = Order(id: .random(), issuedMs: house.admin.time(), body: wish.order)
            let sealed = try OrderSealer.seal(order, with: house.admin.key)
            let ticket = try client.call(wish.vouch(house.admin, order: sealed)).message.ticket
            #expect(ticket.subject == "admin" && ticket.project == "default")
            #expect(ticket.trust == .approved && ticket.commit == "c0ffee" && ticket.definition == wish.definition)
            #expect(ticket.secrets == ["deploy"] && ticket.generation == 1)
        }

        /// Whoever seals an order chooses its number. It is the same job's for ever, and no other person's.
        @Test func aNumberIsNobodyElsesName() throws {
            let house = try BrokerHouse.running(["deploy": [1]])
            let client = try house.scheduler()
            let wish = Wish(trust: .approved, secrets: ["deploy"])
            func name(_ id: Bytes16) throws -> Bytes16 {
                let order = Order(id: id, issuedMs: house.admin.time(), body: wish.order)
                let sealed = try OrderSealer.seal(order, with: house.admin.key)
                return try client.call(wish.vouch(house.admin, order: sealed)).message.ticket.order
            }
            let id = Bytes16.random()
            let given = try name(id)
            #expect(try given != id && name(id) == given && name(.random()) != given)
        }

        @Test func withoutAnOrderThereIsNoTrust() throws {
            let house = try BrokerHouse.running(["deploy": [1]])
            let client = try house.scheduler()
            var wish = Wish()
            let ticket = try client.call(wish.vouch(house.admin, order: nil)).message.ticket
            #expect(ticket.trust == .untrusted && ticket.secrets.isEmpty && ticket.commit.isEmpty)
            wish.secrets = ["deploy"]
            #expect(try refusal { _ = try client.call(wish.vouch(house.admin, order: nil)) } == .invalid)
            wish.trust = .untrusted
            #expect(try refusal { _ = try client.ticket(house.admin, wish) } == .invalid)
            wish = Wish(secrets: ["missing"])
            #expect(try refusal { _ = try client.ticket(house.admin, wish) } == .notFound)
            wish = Wish(project: "other", secrets: ["deploy"])
            #expect(try refusal { _ = try client.ticket(house.admin, wish) } == .notFound)
        }

        @Test func theRequestMayNotSayMoreThanTheOrder() throws {
            let house = try BrokerHouse.running(["deploy": [1], "other": [2]])
            let client = try house.scheduler()
            let wish = Wish(secrets: ["deploy"])
            let sealed = try house.admin.seal(wish.order)
            let changes: [(String, (inout BrokerEdge.Vouch) -> Void)] = [
                ("project", { $0.project = "other" }), ("request_id", { $0.requestId = "request-2" }),
                ("definition", { $0.definition = .random() }), ("secrets", { $0.secrets = ["other"] }),
                ("secrets", { $0.secrets = ["deploy", "other"] }), ("secrets", { $0.secrets = [] }),
            ]
            for (place, change) in changes {
                var vouch = wish.vouch(house.admin, order: sealed)
                change(&vouch)
                let failure = #expect(throws: Failure.self) { _ = try client.call(vouch) }
                #expect(failure?.errorCode == .orderRefused && failure?.place == place)
            }
            _ = try client.call(wish.vouch(house.admin, order: sealed))  // the control
        }

        @Test func aChangedTicketIsNoTicket() throws {
            let house = try BrokerHouse.running(["deploy": [1], "other": [2]])
            let client = try house.scheduler()
            let ticket = try client.ticket(house.admin, Wish(secrets: ["deploy"]))
            let plain = try client.call(Wish().vouch(house.admin, order: nil)).message.ticket
            let runner = try RunnerSide(client, house)
            let changes: [(inout Ticket) -> Void] = [
                { $0.mac = .random() }, { $0.mac = Bytes32(0, 0, 0, 0) }, { $0.trust = .approved },
                { $0.secrets = ["deploy", "other"] }, { $0.secrets = [] }, { $0.definition = .random() },
                { $0.order = .random() }, { $0.project = "other" }, { $0.subject = "root" }, { $0.generation = 2 },
                { $0.issuedMs += 1 }, { $0.commit = "" },
                {
                    let mac = $0.mac
                    $0 = plain
                    $0.mac = mac
                },
            ]
            for change in changes {
                var bad = ticket
                change(&bad)
                #expect(try refusal { try client.grant(bad, runner, attempt) } == .ticketRefused)
            }
            var raised = plain
            (raised.trust, raised.secrets) = (.trusted, ["deploy"])
            #expect(try refusal { try client.grant(raised, runner, attempt) } == .ticketRefused)
            #expect(try runner.files == ["key"])
            #expect(try house.audited(.grantDenied).count == changes.count + 1)
            #expect(try house.audited(.grant).isEmpty)
            try client.grant(ticket, runner, attempt)  // the control
            #expect(try runner.files == ["grant"])
        }

        @Test func ticketsAge() throws {
            let house = try BrokerHouse.running(["deploy": [1]])
            let ticket = try house.scheduler().ticket(house.admin, Wish(secrets: ["deploy"]))
            for (clock, code) in [(7 * 86_400 + 60, ErrorCode.ticketRefused), (-700, .ticketRefused)] {
                try house.restart(BrokerOptions(clock: clock))
                let client = try house.scheduler()
                let runner = try RunnerSide(client, house)
                #expect(try refusal { try client.grant(ticket, runner, attempt) } == code)
            }
            try house.restart(BrokerOptions(clock: 7 * 86_400 - 60))
            let client = try house.scheduler()
            try client.grant(ticket, try RunnerSide(client, house), attempt)
        }

        @Test func aTicketIsForOneJob() throws {
            let house = try BrokerHouse.running(["deploy": [1]])
            var client = try house.scheduler()
            let ticket = try client.ticket(house.admin, Wish(secrets: ["deploy"]))
            try client.grant(ticket, try RunnerSide(client, house), attempt)
            let other = Attempt(job: 2, attempt: 1, epoch: 1)
            let runner = try RunnerSide(client, house)
            #expect(try refusal { try client.grant(ticket, runner, other) } == .conflict)
            try house.restart()
            client = try house.scheduler()
            let next = try RunnerSide(client, house)
            #expect(try refusal { try client.grant(ticket, next, other) } == .conflict)
            #expect(try next.files == ["key"])
            // The same job may try again, on another runner.
            try client.grant(ticket, next, Attempt(job: 1, attempt: 2, epoch: 2))
        }

        /// Vouching twice for one order gives two tickets of one name.
        @Test func anOrderIsForOneJob() throws {
            let house = try BrokerHouse.running(["deploy": [1]])
            let client = try house.scheduler()
            let wish = Wish(secrets: ["deploy"])
            let sealed = try house.admin.seal(wish.order)
            let first = try client.call(wish.vouch(house.admin, order: sealed)).message.ticket
            let second = try client.call(wish.vouch(house.admin, order: sealed)).message.ticket
            try client.grant(first, try RunnerSide(client, house), attempt)
            let runner = try RunnerSide(client, house)
            #expect(
                try refusal { try client.grant(second, runner, Attempt(job: 2, attempt: 1, epoch: 1)) } == .conflict)
        }
    }
}
