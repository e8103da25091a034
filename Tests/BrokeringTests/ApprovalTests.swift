// Approvals: for exactly these commits, by somebody who may, and for nothing else.

import Files
import Link
import LinkBlocking
import Posix
import Testing
import Vault
import Wire

extension BrokeringTests {
    @Suite struct ApprovalTests {
        private func approve(
            _ client: BlockingClient<BrokerEdge>, _ change: DeliveryWord, _ person: Person,
            _ spoil: (inout ApproveOrder) -> Void = { _ in }
        ) throws -> ApprovalWord {
            var order = ApproveOrder(
                project: "shop", number: 7, head: Shop.head, base: Shop.base, revision: change.revision)
            spoil(&order)
            return try client.call(
                BrokerEdge.Approve(
                    token: person.token, order: try person.seal(.approve(order)), asks: nil, may: nil, change: change,
                    base: "")
            ).message.approval
        }

        @Test func anOperatorApprovesWhatHeHasSeen() throws {
            let house = try Shop.house()
            let client = try house.scheduler()
            let change = try client.deliver(.change())
            let approval = try approve(client, change, house.admin)
            let ticket = try client.ticket(change, Shop.lint, approval: approval)
            #expect(ticket.trust == .approved && ticket.secrets == ["lint"])
            // Never what is for trusted commits alone.
            #expect(
                try refusal { _ = try client.ticket(change, Shop.deploy, approval: approval) } == .deniedByPolicy)
            #expect(try house.audited(.approved).count == 1)
            let other = String(repeating: "c", count: 40)
            let spoils: [(inout ApproveOrder) -> Void] = [
                { $0.head = other }, { $0.base = other }, { $0.number = 8 }, { $0.revision = .random() },
                { $0.project = "other" },
            ]
            for spoil in spoils {
                #expect(try refusal { _ = try approve(client, change, house.admin, spoil) } == .conflict)
            }
        }

        @Test func aPushOrAnotherChangeIsNotApproved() throws {
            let house = try Shop.house()
            let client = try house.scheduler()
            let approval = try approve(client, try client.deliver(.change()), house.admin)
            let pushed = try client.deliver(.change(head: String(repeating: "c", count: 40)))
            #expect(try refusal { _ = try client.ticket(pushed, Shop.test, approval: approval) } == .notReady)
            let other = try client.deliver(.change(number: 8))
            #expect(try refusal { _ = try client.ticket(other, Shop.test, approval: approval) } == .notReady)
            var forged = approval
            forged.number = 8
            #expect(try refusal { _ = try client.ticket(other, Shop.test, approval: forged) } == .ticketRefused)
        }

        @Test func whoCommentsMustBeAllowedToWrite() throws {
            let house = try Shop.house()
            let client = try house.scheduler()
            let courier = try house.courier()
            let change = try client.deliver(.change())
            func ask(
                _ permission: ForgePermission, by id: UInt64 = 1, of project: String = "shop", asks: Hook? = nil,
                mayOf other: UInt64? = nil
            ) throws -> ApprovalWord {
                let may = try courier.call(
                    ForgeEdge.StatePermission(
                        project: project, account: ForgeAccount(id: other ?? id, name: "ada"), permission: permission)
                ).message.word
                let hook = asks ?? .comment("/bulkhead approve \(Shop.head)", by: Int(id))
                return try client.call(
                    BrokerEdge.Approve(
                        token: "", order: nil, asks: try client.deliver(hook), may: may, change: change, base: "")
                ).message.approval
            }
            let approval = try ask(.write)
            #expect(try client.ticket(change, Shop.lint, approval: approval).secrets == ["lint"])
            #expect(try refusal { _ = try ask(.read) } == .deniedByPolicy)
            #expect(try refusal { _ = try ask(.none) } == .deniedByPolicy)
            // The author of the change, whatever he may.
            #expect(try refusal { _ = try ask(.admin, by: 2) } == .deniedByPolicy)
            #expect(try refusal { _ = try ask(.write, of: "other") } == .invalid)
            #expect(try refusal { _ = try ask(.admin, mayOf: 3) } == .invalid)
            let other = Hook.comment("/bulkhead approve \(Shop.base)")
            #expect(try refusal { _ = try ask(.write, asks: other) } == .deniedByPolicy)
            #expect(try refusal { _ = try ask(.write, asks: .push()) } == .invalid)
        }

        @Test func aForgesTokenGoesToCourierdAlone() throws {
            let house = try Shop.house()
            let courier = try house.courier()
            #expect(try refusal { _ = try courier.call(ForgeEdge.ReadToken(project: "shop")) } == .notFound)
            let order = try house.admin.set("forge-token", Array("token".utf8), project: "shop")
            try house.scheduler().execute(house.admin, order)
            let reply = try courier.call(ForgeEdge.ReadToken(project: "shop"))
            // It comes with the address that it is for, as somebody's key has sealed it.
            #expect(
                reply.message
                    == .init(forge: .github, url: "https://github.com", repositoryId: 4711, repositoryPath: nil))
            let raw = try #require(reply.fds.raws.first)
            #expect(try Posix.pread(raw, maximum: 64, at: 0) == Array("token".utf8))
            _ = consume reply
            #expect(try refusal { _ = try courier.call(ForgeEdge.ReadToken(project: "other")) } == .notFound)
        }

        /// What polling finds is as good as a delivery, and never an approval.
        @Test func whatPollingFindsIsStated() throws {
            let house = try Shop.house()
            let (courier, client) = (try house.courier(), try house.scheduler())
            func state(_ event: ForgeEvent, project: String = "shop") throws -> DeliveryWord {
                try courier.call(ForgeEdge.StateEvent(project: project, event: event)).message.delivery
            }
            let told = try client.deliver(.push())
            let found = try state(told.event)
            #expect(found.project == "shop" && found.revision == told.revision && found.event == told.event)
            #expect(try client.ticket(found, Shop.deploy).secrets == ["deploy"])
            // The same event has the same name, and is no delivery of the forge's; another event has another.
            #expect(try state(told.event).delivery == found.delivery && found.delivery != told.delivery)
            #expect(try state(try client.deliver(.push(after: Shop.base)).event).delivery != found.delivery)
            let change = try state(try client.deliver(.change()).event)
            #expect(try refusal { _ = try client.ticket(change, Shop.test) } == .notReady)
            for event in [
                try client.deliver(.comment("/bulkhead approve \(Shop.head)")).event, .idle(IdleEvent(what: "x")),
                .hint(HintEvent(repository: ForgeRepository(id: 4711, path: "acme/shop"), status: "x")),
            ] {
                #expect(try refusal { _ = try state(event) } == .invalid)
            }
            guard case .push(var push) = told.event else { return }
            push.repository.id = 4712
            #expect(try refusal { _ = try state(.push(push)) } == .invalid)
            #expect(try refusal { _ = try state(told.event, project: "other") } == .notFound)
        }
    }
}
