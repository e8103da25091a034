// Tickets for the jobs of events: what brokerd gives, and what it gives to nobody, whatever schedulerd says.

import Link
import LinkBlocking
import Orders
import Testing
import Wire

extension BrokeringTests {
    @Suite struct EventTests {
        @Test func aPushToAProtectedBranchIsTrustedWithItsSecrets() throws {
            let house = try Shop.house()
            let client = try house.scheduler()
            let ticket = try client.ticket(try client.deliver(.push()), Shop.deploy)
            #expect(ticket.trust == .trusted && ticket.secrets == ["deploy"] && ticket.commit == Shop.head)
            #expect(ticket.project == "shop" && ticket.subject == "github:1")
        }

        @Test func anotherBranchIsApprovedAndGetsLess() throws {
            let house = try Shop.house()
            let client = try house.scheduler()
            let word = try client.deliver(.push(to: "refs/heads/feature"))
            #expect(try client.ticket(word, Shop.test).trust == .approved)
            #expect(try refusal { _ = try client.ticket(word, Shop.deploy) } == .deniedByPolicy)
            #expect(try refusal { _ = try client.ticket(word, Shop.lint) } == .deniedByPolicy)
        }

        @Test(arguments: [4712, 0]) func aForkWaitsAndWithoutWaitingHasNoSecret(_ fork: Int) throws {
            let house = try Shop.house()
            let client = try house.scheduler()
            let word = try client.deliver(.change(fork: fork))
            #expect(try refusal { _ = try client.ticket(word, Shop.test) } == .notReady)
            try client.execute(house.admin, try house.admin.apply(try Shop.policy { $0.approval = .none }))
            #expect(try client.ticket(word, Shop.test).trust == .untrusted)
            #expect(try refusal { _ = try client.ticket(word, Shop.lint) } == .deniedByPolicy)
        }

        @Test func whatSchedulerdMakesUpIsRefused() throws {
            let house = try Shop.house()
            let client = try house.scheduler()
            let word = try client.deliver(.change())
            _ = try client.ticket(try client.deliver(.push()), Shop.deploy)
            // A fork that calls itself a push, a change of the project's own, or of other rules.
            let push = try client.deliver(.push()).event
            let lies: [(inout DeliveryWord) -> Void] = [
                { $0.event = push }, { $0.revision = .random() }, { $0.issuedMs += 1 }, { $0.delivery = .random() },
                { $0.mac = .random() },
                {
                    if case .change(var change) = $0.event {
                        change.head.repository = change.base.repository
                        $0.event = .change(change)
                    }
                },
            ]
            for lie in lies {
                var word = word
                lie(&word)
                #expect(try refusal { _ = try client.ticket(word, Shop.deploy) } == .ticketRefused)
            }
            // Another definition, another project's, another job's.
            let genuine = try client.deliver(.push())
            var swapped = Shop.deploy
            swapped.spec.steps[0].run = "curl evil"
            #expect(try refusal { _ = try client.ticket(genuine, swapped) } == .invalid)
            let foreign = Shop.definition("deploy", secrets: ["deploy"], project: "other")
            #expect(try refusal { _ = try client.ticket(genuine, foreign) } == .invalid)
            #expect(try refusal { _ = try client.ticket(genuine, Shop.test, job: "deploy") } == .invalid)
            #expect(try refusal { _ = try client.ticket(genuine, Shop.test, job: "nothing") } == .notFound)
        }

        @Test func theSameJobOfTheSameDeliveryIsTheSameTicket() throws {
            let house = try Shop.house()
            let client = try house.scheduler()
            let word = try client.deliver(.push())
            let again = try client.deliver(.push())
            #expect(try client.ticket(word, Shop.deploy).order == client.ticket(again, Shop.deploy).order)
            #expect(try client.ticket(word, Shop.deploy).order != client.ticket(word, Shop.test).order)
        }

        @Test func afterARotationNothingOldHolds() throws {
            let house = try Shop.house()
            let client = try house.scheduler()
            let word = try client.deliver(.push())
            try client.execute(house.admin, try house.admin.apply(try Shop.policy { $0.revision = .random() }))
            #expect(try refusal { _ = try client.ticket(word, Shop.test) } == .conflict)
        }

        @Test func aJobFileIsWhatCourierdHasRead() throws {
            let house = try Shop.house()
            let client = try house.scheduler()
            let courier = try house.courier()
            let definition = Shop.definition("docs", secrets: ["deploy"])
            let word = try client.deliver(.push())
            #expect(try refusal { _ = try client.ticket(word, definition) } == .invalid)
            func read(
                _ commit: String, job: String = "docs", rule: Bytes32 = Shop.rule, branch: String = "",
                _ definition: JobDefinition
            ) throws -> FileWord {
                try courier.call(
                    ForgeEdge.StateFile(
                        project: "shop", job: job, commit: commit, branch: branch, rule: rule,
                        definition: try Hashes.definition(definition))
                ).message.word
            }
            let file = try read(Shop.head, definition)
            #expect(try client.ticket(word, definition, file: file).secrets == ["deploy"])
            for wrong in [
                try read(Shop.base, definition), try read(Shop.head, job: "test", definition),
                try read(Shop.head, Shop.test), try read(Shop.head, rule: Bytes32(5, 6, 7, 9), definition),
            ] {
                #expect(try refusal { _ = try client.ticket(word, definition, file: wrong) } == .invalid)
            }
            // Of an unprotected branch the default one's file counts, and courierd alone says where that is.
            let plain = Shop.definition("docs")
            let other = try client.deliver(.push(to: "refs/heads/feature"))
            #expect(
                try client.ticket(other, plain, file: try read(Shop.base, branch: "main", plain)).trust == .approved)
            for branch in ["", "feature"] {
                let wrong = try read(Shop.base, branch: branch, plain)
                #expect(try refusal { _ = try client.ticket(other, plain, file: wrong) } == .invalid)
            }
            var forged = file
            forged.commit = Shop.base
            #expect(try refusal { _ = try client.ticket(word, definition, file: forged) } == .ticketRefused)
        }

        /// GitLab's deliveries do not say it. Whoever is schedulerd can choose no commit, and leave none out.
        @Test func whereAChangeIsBasedCourierdSays() throws {
            let house = try Shop.house { $0.approval = .none }
            let (client, courier) = (try house.scheduler(), try house.courier())
            guard case .change(var change) = try client.deliver(.change()).event else { return }
            change.base.commit = ""
            let word = try courier.call(ForgeEdge.StateEvent(project: "shop", event: .change(change))).message.delivery
            let plain = Shop.definition("docs")
            func based(
                _ commit: String, number: UInt64 = 7, head: String = Shop.head, into branch: String = "main"
            ) throws -> BaseWord {
                try courier.call(
                    ForgeEdge.StateBase(project: "shop", number: number, head: head, branch: branch, commit: commit)
                ).message.word
            }
            func ticket(_ base: BaseWord?, _ commit: String, branch: String = "") throws -> Ticket {
                let file = try courier.call(
                    ForgeEdge.StateFile(
                        project: "shop", job: "docs", commit: commit, branch: branch, rule: Shop.rule,
                        definition: try Hashes.definition(plain))
                ).message.word
                return try client.ticket(word, plain, file: file, base: base)
            }
            #expect(try ticket(try based(Shop.base), Shop.base).trust == .untrusted)
            let other = String(repeating: "c", count: 40)
            #expect(try refusal { _ = try ticket(try based(Shop.base), other) } == .invalid)
            for branch in ["", "main"] {
                #expect(try refusal { _ = try ticket(nil, other, branch: branch) } == .invalid)
            }
            for elsewhere in [
                try based(other, number: 8), try based(other, head: other), try based(other, into: "dev"),
            ] {
                #expect(try refusal { _ = try ticket(elsewhere, other) } == .conflict)
            }
            var forged = try based(Shop.base)
            forged.commit = other
            #expect(try refusal { _ = try ticket(forged, other) } == .ticketRefused)
        }

        /// The head of a branch is one of this hour: nobody brings back what it was last week.
        @Test func aFileThatWasReadLongAgoIsReadAgain() throws {
            let house = try Shop.house()
            let plain = Shop.definition("docs")
            var client = try house.scheduler()
            let word = try client.deliver(.push(to: "refs/heads/feature"))
            let file = try house.courier().call(
                ForgeEdge.StateFile(
                    project: "shop", job: "docs", commit: Shop.base, branch: "main", rule: Shop.rule,
                    definition: try Hashes.definition(plain))
            ).message.word
            try house.restart(BrokerOptions(clock: 50 * 60))
            client = try house.scheduler()
            _ = try client.ticket(word, plain, file: file)
            try house.restart(BrokerOptions(clock: 70 * 60))
            client = try house.scheduler()
            #expect(try refusal { _ = try client.ticket(word, plain, file: file) } == .ticketRefused)
        }

        /// Whoever stores another archive, or asks for another commit's, gets no ticket for it.
        @Test func aSourceIsWhatCourierdHasFetched() throws {
            let house = try Shop.house { policy in policy.jobs[2].checkout = true }
            let client = try house.scheduler()
            let courier = try house.courier()
            let source = Source(sha256: Bytes32(1, 1, 1, 1), size: 1024)
            func fetched(_ commit: String = Shop.head, _ source: Source = source, of project: String = "shop") throws
                -> SourceWord
            {
                let statement = ForgeEdge.StateSource(project: project, commit: commit, source: source)
                return try courier.call(statement).message.word
            }
            var definition = Shop.test
            definition.source = source
            let word = try client.deliver(.push())
            let good = try fetched()
            #expect(try client.ticket(word, definition, source: good).commit == Shop.head)
            #expect(try refusal { _ = try client.ticket(word, definition) } == .invalid)
            #expect(try refusal { _ = try client.ticket(word, Shop.test, source: good) } == .invalid)
            for wrong in [
                try fetched(Shop.base), try fetched(of: "other"),
                try fetched(Shop.head, Source(sha256: Bytes32(2, 1, 1, 1), size: 1024)),
            ] {
                #expect(try refusal { _ = try client.ticket(word, definition, source: wrong) } == .invalid)
            }
            var forged = good
            forged.source.sha256 = Bytes32(2, 1, 1, 1)
            definition.source = forged.source
            #expect(try refusal { _ = try client.ticket(word, definition, source: forged) } == .ticketRefused)
            // A job that the project gives no source has none.
            var bare = Shop.deploy
            bare.source = source
            #expect(try refusal { _ = try client.ticket(word, bare, source: good) } == .invalid)
        }

        @Test func whatIsForTheForgeIsInNoJob() throws {
            let house = try Shop.house()
            let client = try house.scheduler()
            var wish = Wish(project: "shop", secrets: ["deploy"])
            _ = try client.ticket(house.admin, wish)
            wish.secrets = ["webhook-key"]
            #expect(try refusal { _ = try client.ticket(house.admin, wish) } == .invalid)
        }
    }
}
