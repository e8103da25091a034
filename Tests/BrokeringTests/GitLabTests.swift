// Jobs of GitLab's: brokerd keeps nothing of them. Their tokens and values lie in its words, sealed, and come out for
// exactly the job with which they came; none of the project's own is ever among them.

import Crypto
import Files
import Link
import LinkBlocking
import Orders
import Posix
import Testing
import Vault
import Wire

extension BrokeringTests {
    @Suite struct GitLabTests {
        private static let token = Array("glcbt-64_of-the-job".utf8)
        private static let value = Array("the value of the variable".utf8)

        private static func definition(_ name: String = "build", secrets: [String] = ["TOKEN"]) -> JobDefinition {
            Shop.definition(name, secrets: secrets)
        }

        private static func about(
            _ number: UInt64 = 90, _ definition: JobDefinition = definition(), before: Int = 0,
            secrets: [String] = ["TOKEN"], protected: Bool = true
        ) throws -> KeptJob {
            KeptJob(
                job: number, commit: "", protected: protected, subject: "gitlab:1",
                uploads: [],
                before: (0..<before).map { GitLabDependency(job: UInt64($0), name: "b", file: "b.zip", size: 1) },
                reasons: [], secrets: secrets, definition: try Hashes.definition(definition))
        }

        private static func house(runner: Bool = true) throws -> BrokerHouse {
            try Shop.house {
                $0.runner = runner
                $0.forge = .gitlab
                $0.url = "https://gitlab.example.org"
            }
        }

        private struct Courier {
            var link: BlockingClient<ForgeEdge>
            let directory: TestDirectory

            init(_ house: BrokerHouse) throws { (link, directory) = (try house.courier(), house.directory) }

            private func file(_ bytes: [UInt8]) throws -> FileDescriptor {
                try directory.write("value", bytes)
                return try Posix.open("\(directory.path)/value", [.readOnly])
            }

            mutating func keep(_ about: KeptJob, _ values: [[UInt8]] = [token, value]) throws -> GitLabJobWord {
                let encoded = try JobValues(values: values.map { JobValue(value: $0) }).encoded()
                return try link.call(
                    ForgeEdge.KeepJob(project: "shop", about: about), fds: FDBundle(try file(encoded))
                ).message.word
            }

            mutating func keepRunner() throws -> GitLabRunnerWord {
                let request = ForgeEdge.KeepRunner(project: "shop", id: 17, obtainedMs: 1, expiresMs: 0)
                return try link.call(request, fds: FDBundle(try file(Array("glrt-of-the-runner".utf8)))).message.word
            }

            mutating func open(_ word: GitLabJobWord, _ value: UInt8 = 0) throws -> [UInt8] {
                var reply = try link.call(ForgeEdge.OpenJob(word: word, value: value))
                guard let file = reply.fds.takeFirst() else { return [] }
                return try Posix.pread(file.raw, maximum: 8192, at: 0)
            }

            mutating func open(_ word: GitLabRunnerWord) throws -> [UInt8] {
                var reply = try link.call(ForgeEdge.OpenRunner(word: word))
                guard let file = reply.fds.takeFirst() else { return [] }
                return try Posix.pread(file.raw, maximum: 8192, at: 0)
            }

            mutating func vouch(_ word: GitLabJobWord, _ definition: JobDefinition = definition()) throws -> Ticket {
                try link.call(ForgeEdge.VouchJob(word: word, definition: definition)).message.ticket
            }
        }

        private static func grant(
            _ ticket: Ticket, _ runner: RunnerSide, job: UInt64 = 7, _ values: GitLabJobWord?
        ) -> BrokerEdge.Grant {
            BrokerEdge.Grant(
                ticket: ticket, grant: runner.grant, runner: runner.id,
                attempt: Attempt(job: job, attempt: 1, epoch: 1), taken: false, values: values)
        }

        @Test func aTokenComesBackToWhomItWasSaid() throws {
            let house = try Self.house()
            var courier = try Courier(house)
            let word = try courier.keepRunner()
            try house.restart()
            courier = try Courier(house)
            #expect(try courier.open(word) == Array("glrt-of-the-runner".utf8), "after a death, too")
            #expect(try house.directory.files(below: "state").allSatisfy { !$0.contains("glrt") })
            var other = word
            other.id = 18
            #expect(try refusal { _ = try courier.open(other) } == .ticketRefused)
        }

        @Test(arguments: [true, false]) func aJobHasWhatItCameWith(protected: Bool) throws {
            let house = try Self.house()
            var courier = try Courier(house)
            let word = try courier.keep(try Self.about(before: 1, protected: protected), [Self.token, [9], Self.value])
            #expect(try courier.open(word) == Self.token)
            #expect(try courier.open(word, 1) == [9])
            #expect(try refusal { _ = try courier.open(word, 2) } == .notFound, "a value is no token")
            let ticket = try courier.vouch(word)
            #expect(ticket.ownValues && ticket.trust == (protected ? .trusted : .untrusted))
            let client = try house.scheduler()
            try client.reconcile([])
            let runner = try RunnerSide(client, house)
            _ = try client.call(Self.grant(ticket, runner, word))
            #expect(try runner.open().secrets == [GrantedSecret(name: "TOKEN", value: Self.value)])
        }

        /// The control is the one before: with its own word it is granted.
        @Test func noOtherValues() throws {
            let house = try Self.house()
            var courier = try Courier(house)
            let (word, other) = (try courier.keep(try Self.about()), try courier.keep(try Self.about(91)))
            let ticket = try courier.vouch(word)
            let client = try house.scheduler()
            try client.reconcile([])
            let runner = try RunnerSide(client, house)
            #expect(try refusal { _ = try client.call(Self.grant(ticket, runner, nil)) } == .ticketRefused)
            #expect(try refusal { _ = try client.call(Self.grant(ticket, runner, other)) } == .ticketRefused)
            var changed = word
            changed.values[1] = other.values[1]
            #expect(try refusal { _ = try client.call(Self.grant(ticket, runner, changed)) } == .ticketRefused)
            var forged = ticket
            forged.ownValues = false
            #expect(try refusal { _ = try client.call(Self.grant(forged, runner, word)) } == .ticketRefused)
            #expect(try runner.files == ["key"])
        }

        /// `deploy` is a secret of the project; a job of GitLab's that names it and brings none gets none.
        @Test func noneOfTheProjects() throws {
            let house = try Self.house()
            var courier = try Courier(house)
            let wish = Self.definition(secrets: ["deploy"])
            let word = try courier.keep(try Self.about(90, wish), [Self.token, Self.value])
            #expect(try refusal { _ = try courier.vouch(word, wish) } == .invalid)
            let own = try courier.keep(try Self.about(91, wish, secrets: ["deploy"]), [Self.token, Self.value])
            let ticket = try courier.vouch(own, wish)
            let client = try house.scheduler()
            try client.reconcile([])
            let runner = try RunnerSide(client, house)
            _ = try client.call(Self.grant(ticket, runner, own))
            #expect(
                try runner.open().secrets == [GrantedSecret(name: "deploy", value: Self.value)], "its own of that name")
        }

        @Test func theDefinitionIsTheOneThatWasKept() throws {
            let house = try Self.house()
            var courier = try Courier(house)
            let word = try courier.keep(try Self.about())
            var definition = Self.definition()
            definition.source = Source(sha256: Bytes32(1, 1, 1, 1), size: 1)
            #expect(try courier.vouch(word, definition).definition == Hashes.definition(definition), "over any source")
            definition.spec.steps[0].run = "something else"
            #expect(try refusal { _ = try courier.vouch(word, definition) } == .invalid)
            var foreign = Self.definition()
            foreign.project = "other"
            #expect(try refusal { _ = try courier.vouch(word, foreign) } == .invalid)
        }

        @Test func onlyForProjectsThatSaySo() throws {
            let house = try Self.house(runner: false)
            var courier = try Courier(house)
            #expect(try refusal { _ = try courier.keepRunner() } == .deniedByPolicy)
            #expect(try refusal { _ = try courier.keep(try Self.about()) } == .deniedByPolicy)
        }

        @Test(arguments: [[token], [token, value, value], [token, []]])
        func asManyValuesAsItSays(values: [[UInt8]]) throws {
            let house = try Self.house()
            var courier = try Courier(house)
            let encoded = try? JobValues(values: values.map { JobValue(value: $0) }).encoded()
            guard encoded != nil else { return }
            #expect(try refusal { _ = try courier.keep(try Self.about(), values) } == .invalid)
        }

            let question = ForgeEdge.CheckArtifact(
                word: word, rule: 1, size: 5, sha256: hash, seal: Bytes32(bytes: code))
        @Test func whatAJobHasLeftIsItsRunners() throws {
            let house = try Self.house()
            var courier = try Courier(house)
            let (word, other) = (try courier.keep(try Self.about()), try courier.keep(try Self.about(91)))
            let client = try house.scheduler()
            try client.reconcile([])
            let runner = try RunnerSide(client, house)
            _ = try client.call(Self.grant(try courier.vouch(word), runner, word))
            let key = SymmetricKey(data: try runner.open().seal.array)
            let hash = Hashes.sha256(Array("a tar".utf8))
            let said = Array("bulkhead artifact 1".utf8) + [0, 1, 0, 0, 0, 0, 0, 0, 0, 5] + hash.array
            let code = Array(HMAC<SHA256>.authenticationCode(for: said, using: key))
            let question = ForgeEdge.CheckArtifact(
                word: word, rule: 1, size: 5, sha256: hash, seal: Bytes32(bytes: code))
            _ = try courier.link.call(question)
            let changes: [(inout ForgeEdge.CheckArtifact) -> Void] = [
                { $0.word = other }, { $0.rule = 0 }, { $0.size = 6 }, { $0.sha256 = Bytes32(1, 1, 1, 1) },
                { $0.seal = Bytes32(1, 1, 1, 1) }, { $0.seal = nil },
            ]
            for (index, change) in changes.enumerated() {
                var asked = question
                change(&asked)
                #expect(try refusal { _ = try courier.link.call(asked) } == .deniedByPolicy, "change \(index)")
            }
            var forged = question
            forged.word.about.job = 91
            #expect(try refusal { _ = try courier.link.call(forged) } == .ticketRefused)
        }

        /// Without a value there is no grant, so nobody could seal; a seal that is there has to be right all the same.
        @Test func withoutAValueThereIsNoSeal() throws {
            let house = try Self.house()
            var courier = try Courier(house)
            let bare = Self.definition(secrets: [])
            let word = try courier.keep(try Self.about(90, bare, secrets: []), [Self.token])
            var question = ForgeEdge.CheckArtifact(
                word: word, rule: 0, size: 5, sha256: Bytes32(1, 1, 1, 1), seal: nil)
            _ = try courier.link.call(question)
            question.seal = Bytes32(1, 1, 1, 1)
            #expect(try refusal { _ = try courier.link.call(question) } == .deniedByPolicy)
        }
    }
}
