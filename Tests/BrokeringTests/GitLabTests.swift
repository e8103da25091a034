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

        private static func rule(
            tags: [String] = ["bulkhead"], protectedOnly: Bool = false, images: [String] = [], timeout: UInt32 = 3600
        ) -> RunnerRule {
            RunnerRule(
                registration: RunnerRegistration(
                    tags: tags, runUntagged: false, own: false, protectedOnly: protectedOnly),
                shape: definition().spec.shape, images: images, timeoutSeconds: timeout, priority: 50)
        }

        private static func policy(_ rule: RunnerRule?, forge: ForgeKind = .gitlab) throws -> Policy {
            let runner = try rule.map { Hashes.sha256(try $0.encoded()) }
            return try Shop.policy {
                $0.runner = runner
                $0.forge = forge
                $0.url = "https://gitlab.example.org"
            }
        }

        private static func house(_ rule: RunnerRule? = rule(), forge: ForgeKind = .gitlab) throws -> BrokerHouse {
            let policy = try policy(rule, forge: forge)
            return try Shop.house { $0 = policy }
        }

        /// Somebody seals other rules.
        private static func seal(_ rule: RunnerRule, _ house: BrokerHouse) throws {
            try house.scheduler().execute(house.admin, try house.admin.apply(try policy(rule)))
        }

        private struct Courier {
            var link: BlockingClient<ForgeEdge>
            let directory: TestDirectory

            init(_ house: BrokerHouse) throws { (link, directory) = (try house.courier(), house.directory) }

            private func file(_ bytes: [UInt8]) throws -> FileDescriptor {
                try directory.write("value", bytes)
                return try Posix.open("\(directory.path)/value", [.readOnly])
            }

            mutating func keep(
                _ about: KeptJob, _ values: [[UInt8]] = [token, value], by rule: RunnerRule = rule()
            ) throws -> GitLabJobWord {
                let encoded = try JobValues(values: values.map { JobValue(value: $0) }).encoded()
                return try link.call(
                    ForgeEdge.KeepJob(project: "shop", rule: rule, about: about), fds: FDBundle(try file(encoded))
                ).message.word
            }

            mutating func keepRunner(by rule: RunnerRule = rule()) throws -> GitLabRunnerWord {
                let request = ForgeEdge.KeepRunner(project: "shop", rule: rule, id: 17, obtainedMs: 1, expiresMs: 0)
                return try link.call(request, fds: FDBundle(try file(Array("glrt-of-the-runner".utf8)))).message.word
            }

            mutating func open(_ word: GitLabJobWord, _ value: UInt8 = 0) throws -> [UInt8] {
                var reply = try link.call(ForgeEdge.OpenJob(word: word, value: value))
                guard let file = reply.fds.takeFirst() else { return [] }
                return try Posix.pread(file.raw, maximum: 8192, at: 0)
            }

            /// Without a rule: to leave.
            mutating func open(_ word: GitLabRunnerWord, by rule: RunnerRule? = nil) throws -> [UInt8] {
                var reply = try link.call(ForgeEdge.OpenRunner(word: word, rule: rule))
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

        @Test(arguments: [(nil, ForgeKind.gitlab), (rule(), .github)])
        func onlyForProjectsThatSaySo(_ rule: RunnerRule?, _ forge: ForgeKind) throws {
            let house = try Self.house(rule, forge: forge)
            var courier = try Courier(house)
            #expect(try refusal { _ = try courier.keepRunner() } == .deniedByPolicy)
            #expect(try refusal { _ = try courier.keep(try Self.about()) } == .deniedByPolicy)
        }

        /// What a schedulerd may say that was taken over, of a project whose rule is `rule()`.
        static let others = [
            rule(tags: ["bulkhead", "deploy"]), rule(protectedOnly: true), rule(images: ["*"]), rule(timeout: 7200),
            {
                var other = rule()
                other.shape.image = "with-a-key-in-it"
                return other
            }(),
        ]

        @Test(arguments: others) func noRuleButTheSealedOne(_ other: RunnerRule) throws {
            let house = try Self.house()
            let order = try house.admin.set("forge-token", Array("token".utf8), project: "shop")
            try house.scheduler().execute(house.admin, order)
            var courier = try Courier(house)
            let word = try courier.keepRunner()
            #expect(try courier.open(word, by: Self.rule()) == Array("glrt-of-the-runner".utf8))
            _ = try courier.keep(try Self.about())
            _ = try courier.link.call(ForgeEdge.ReadToken(project: "shop", rule: Self.rule()))
            #expect(try refusal { _ = try courier.keepRunner(by: other) } == .deniedByPolicy)
            #expect(try refusal { _ = try courier.open(word, by: other) } == .deniedByPolicy)
            #expect(try refusal { _ = try courier.keep(try Self.about(), by: other) } == .deniedByPolicy)
            #expect(
                try refusal { _ = try courier.link.call(ForgeEdge.ReadToken(project: "shop", rule: other)) }
                    == .deniedByPolicy, "none is registered by it")
        }

        /// GitLab gives it the jobs for which it was made, whatever the rules say.
        @Test func anOldRunnerOnlyLeaves() throws {
            let house = try Self.house()
            var courier = try Courier(house)
            let word = try courier.keepRunner()
            let (longer, other) = (Self.rule(timeout: 7200), Self.rule(tags: ["other"]))
            try Self.seal(longer, house)
            #expect(try courier.open(word, by: longer) == Array("glrt-of-the-runner".utf8), "it is the same runner")
            #expect(try refusal { _ = try courier.open(word, by: Self.rule()) } == .deniedByPolicy)
            try Self.seal(other, house)
            #expect(try refusal { _ = try courier.open(word, by: other) } == .deniedByPolicy)
            #expect(try refusal { _ = try courier.open(word, by: longer) } == .deniedByPolicy)
            #expect(try courier.open(word) == Array("glrt-of-the-runner".utf8))
        }

        @Test func aJobByAnOldRuleGetsNoTicket() throws {
            let house = try Self.house()
            var courier = try Courier(house)
            let word = try courier.keep(try Self.about())
            #expect(try courier.vouch(word).project == "shop")
            try Self.seal(Self.rule(images: ["debian"]), house)
            #expect(try refusal { _ = try courier.vouch(word) } == .deniedByPolicy)
            #expect(try courier.open(word) == Self.token, "its end is told")
            try Self.seal(Self.rule(), house)
            #expect(try courier.vouch(word).project == "shop", "what holds is what counts")
        }

        @Test(arguments: [[token], [token, value, value], [token, []]])
        func asManyValuesAsItSays(values: [[UInt8]]) throws {
            let house = try Self.house()
            var courier = try Courier(house)
            let encoded = try? JobValues(values: values.map { JobValue(value: $0) }).encoded()
            guard encoded != nil else { return }
            #expect(try refusal { _ = try courier.keep(try Self.about(), values) } == .invalid)
        }

        /// What the runner of exactly this job has sealed, by exactly this rule, goes up as this job's, and nothing
        /// else.
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
            let said: [UInt8] = [0, 1, 0, 0, 0, 0, 0, 0, 0, 5] + hash.array
            let code = Array(HMAC<SHA256>.authenticationCode(for: said, using: key))
            let question = ForgeEdge.CheckArtifact(
                word: word, files: LeftFiles(rule: 1, size: 5, sha256: hash), seal: Bytes32(bytes: code))
            _ = try courier.link.call(question)
            let changes: [(inout ForgeEdge.CheckArtifact) -> Void] = [
                { $0.word = other }, { $0.files.rule = 0 }, { $0.files.size = 6 },
                { $0.files.sha256 = Bytes32(1, 1, 1, 1) },
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
                word: word, files: LeftFiles(rule: 0, size: 5, sha256: Bytes32(1, 1, 1, 1)), seal: nil)
            _ = try courier.link.call(question)
            question.seal = Bytes32(1, 1, 1, 1)
            #expect(try refusal { _ = try courier.link.call(question) } == .deniedByPolicy)
        }
    }
}
