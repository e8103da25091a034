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
            _ client: BlockingClient<BrokerEdge>, _ change: DeliveryWord, _ person: Person, base: BaseWord? = nil,
            _ spoil: (inout ApproveOrder) -> Void = { _ in }
        ) throws -> ApprovalWord {
            var order = ApproveOrder(
                project: "shop", number: 7, head: Shop.head, base: Shop.base, branch: "main",
                revision: change.revision)
            spoil(&order)
            return try client.call(
                BrokerEdge.Approve(
                    token: person.token, order: try person.seal(.approve(order)), asks: nil, may: nil, change: change,
                    base: base)
            ).message.approval
        }

        /// What the forge says of the change, as courierd has it stated.
        private func based(
            _ courier: BlockingClient<ForgeEdge>, _ commit: String = Shop.base, number: UInt64 = 7,
            head: String = Shop.head, into branch: String = "main", of project: String = "shop"
        ) throws -> BaseWord {
            try courier.call(
                ForgeEdge.StateBase(project: project, number: number, head: head, branch: branch, commit: commit)
            ).message.word
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
                { $0.project = "other" }, { $0.branch = "dev" },
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
            // The same commits, into another branch.
            let retargeted = try client.deliver(.change(branch: "dev"))
            #expect(try refusal { _ = try client.ticket(retargeted, Shop.test, approval: approval) } == .notReady)
            var moved = approval
            moved.branch = "dev"
            #expect(try refusal { _ = try client.ticket(retargeted, Shop.test, approval: moved) } == .ticketRefused)
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
                mayOf other: UInt64? = nil, base: BaseWord? = nil
            ) throws -> ApprovalWord {
                let may = try courier.call(
                    ForgeEdge.StatePermission(
                        project: project, account: ForgeAccount(id: other ?? id, name: "ada"), permission: permission)
                ).message.word
                let hook = asks ?? .comment("/bulkhead approve \(Shop.head)", by: Int(id))
                return try client.call(
                    BrokerEdge.Approve(
                        token: "", order: nil, asks: try client.deliver(hook), may: may, change: change,
                        base: try base ?? based(courier))
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
            // It has other commits by now, or it is another change, or nobody has asked.
            for elsewhere in [
                try based(courier, head: Shop.base), try based(courier, number: 8), try based(courier, of: "other"),
            ] {
                #expect(try refusal { _ = try ask(.write, base: elsewhere) } == .conflict)
            }
            var forged = try based(courier, into: "dev")
            forged.branch = "main"
            #expect(try refusal { _ = try ask(.write, base: forged) } == .ticketRefused)
        }

        /// What a comment means is where the change is to go now, and where it says itself, whichever of the change's
        /// deliveries schedulerd comes with.
        @Test func aCommentIsAboutTheBranchOfNow() throws {
            let house = try Shop.house()
            let (client, courier) = (try house.scheduler(), try house.courier())
            let (main, dev) = (try client.deliver(.change()), try client.deliver(.change(branch: "dev")))
            func ask(_ change: DeliveryWord, now branch: String, _ more: String = "") throws -> ApprovalWord {
                let may = try courier.call(
                    ForgeEdge.StatePermission(
                        project: "shop", account: ForgeAccount(id: 1, name: "ada"), permission: .write)
                ).message.word
                let asks = try client.deliver(.comment("/bulkhead approve \(Shop.head)\(more)"))
                return try client.call(
                    BrokerEdge.Approve(
                        token: "", order: nil, asks: asks, may: may, change: change,
                        base: try based(courier, into: branch))
                ).message.approval
            }
            #expect(try ask(main, now: "main").branch == "main" && ask(dev, now: "dev").branch == "dev")
            #expect(try ask(main, now: "main", " into main").branch == "main")
            // It was to go into main, and is to go into dev now; or the other way round.
            #expect(try refusal { _ = try ask(main, now: "dev") } == .conflict)
            #expect(try refusal { _ = try ask(dev, now: "main") } == .conflict)
            // He has seen it go into dev, and its author has sent it to main meanwhile.
            #expect(try refusal { _ = try ask(main, now: "main", " into dev") } == .deniedByPolicy)
            #expect(try refusal { _ = try ask(main, now: "main", " into Main") } == .deniedByPolicy)
        }

        /// A word on a change completes a delivery for weeks; for a comment it has to be one of this moment.
        @Test func whatTheForgeHasSaidLongAgoApprovesNothing() throws {
            let house = try Shop.house()
            var (client, courier) = (try house.scheduler(), try house.courier())
            let (change, asks) = (
                try client.deliver(.change()), try client.deliver(.comment("/bulkhead approve \(Shop.head)"))
            )
            let old = try based(courier)
            func ask(_ base: BaseWord?) throws -> ApprovalWord {
                let may = try courier.call(
                    ForgeEdge.StatePermission(
                        project: "shop", account: ForgeAccount(id: 1, name: "ada"), permission: .write)
                ).message.word
                return try client.call(
                    BrokerEdge.Approve(token: "", order: nil, asks: asks, may: may, change: change, base: base)
                ).message.approval
            }
            _ = try ask(old)
            try house.restart(BrokerOptions(clock: 3 * 60))
            (client, courier) = (try house.scheduler(), try house.courier())
            #expect(try refusal { _ = try ask(old) } == .ticketRefused)
            #expect(try refusal { _ = try ask(nil) } == .ticketRefused)
            let approval = try approve(client, change, house.admin, base: old)
            #expect(try client.ticket(change, Shop.lint, approval: approval, base: old).secrets == ["lint"])
            _ = try ask(try based(courier))
        }

        @Test func aForgesTokenGoesToCourierdAlone() throws {
            let house = try Shop.house()
            let courier = try house.courier()
            #expect(try refusal { _ = try courier.call(ForgeEdge.ReadToken(project: "shop", rule: nil)) } == .notFound)
            let order = try house.admin.set("forge-token", Array("token".utf8), project: "shop")
            try house.scheduler().execute(house.admin, order)
            let reply = try courier.call(ForgeEdge.ReadToken(project: "shop", rule: nil))
            // It comes with the address that it is for, as somebody's key has sealed it.
            #expect(
                reply.message
                    == .init(
                        forge: .github, url: "https://github.com", app: nil, repositoryId: 4711, repositoryPath: nil))
            let raw = try #require(reply.fds.raws.first)
            #expect(try Posix.pread(raw, maximum: 64, at: 0) == Array("token".utf8))
            _ = consume reply
            #expect(try refusal { _ = try courier.call(ForgeEdge.ReadToken(project: "other", rule: nil)) } == .notFound)
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
