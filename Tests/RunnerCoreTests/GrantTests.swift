// Opening a grant: for exactly this runner, this attempt and this definition, or not at all.

import RunnerCore
import Testing
import Wire

@Suite struct GrantTests {
    static let runner = Bytes16.random()
    static let key = Bytes32.random().array
    static let uses = [SecretUse("deploy-key", .variable, "KEY"), SecretUse("bulkhead-job-token", .variable, "TOKEN")]
    static let definition = JobDefinition.of(.of([Step("build", "x"), Step("deploy", "x", secrets: uses)]))
    static let secrets = ["deploy-key": "hunter2", "other": "unused"]

    static func sealed(_ body: GrantBody) throws -> [UInt8] {
        TestGrant.seal(try body.encoded(), key: key, runner: runner)
    }

    static func open(
        _ sealed: [UInt8], key: [UInt8] = key, runner: Bytes16 = runner, image: String? = "test",
        attempt: Attempt = .test, definition: JobDefinition = definition
    ) throws -> GrantContents {
        try Grant.open(
            sealed, key: try CryptoTests.wiped(key), runner: runner, image: image, attempt: attempt,
            definition: definition)
    }

    static func value(_ contents: GrantContents, _ name: String) -> String? {
        var text: String?
        _ = contents.withValue(name) { text = String(decoding: $0, as: UTF8.self) }
        return text
    }

    @Test func theRightOneOpens() throws {
        let contents = try Self.open(Self.sealed(TestGrant.body(Self.definition, Self.secrets)))
        #expect(Self.value(contents, "deploy-key") == "hunter2")
        #expect(Self.value(contents, "bulkhead-job-token") == "bj1.token")
        #expect(Self.value(contents, "nothing") == nil)
    }

    @Test func anotherKeyRunnerAttemptOrDefinition() throws {
        let sealed = try Self.sealed(TestGrant.body(Self.definition, Self.secrets))
        let damaged = Refusal("the grant is damaged, or sealed for another runner")
        #expect(throws: damaged) { try Self.open(sealed, key: Bytes32.random().array) }
        #expect(throws: damaged) { try Self.open(sealed, runner: .random()) }
        for other in [
            Attempt(job: 8, attempt: 2, epoch: 1), Attempt(job: 7, attempt: 3, epoch: 1),
            Attempt(job: 7, attempt: 2, epoch: 2),
        ] {
            let refusal = Refusal(
                "the grant is for job 7, attempt 2, epoch 1; this is job \(other.job), attempt \(other.attempt), "
                    + "epoch \(other.epoch)")
            #expect(throws: refusal) { try Self.open(sealed, attempt: other) }
        }
        var changed = Self.definition
        changed.spec.steps[0].run = "curl evil"
        let (granted, now) = (try Grant.hash(of: Self.definition), try Grant.hash(of: changed))
        #expect(throws: Refusal("the grant is for the definition \(granted.hex), this one is \(now.hex)")) {
            try Self.open(sealed, definition: changed)
        }
    }

    @Test func anotherImage() throws {
        let sealed = try Self.sealed(TestGrant.body(Self.definition, Self.secrets))
        #expect(throws: Refusal("the job is for the image test, this runner's is evil")) {
            try Self.open(sealed, image: "evil")
        }
        #expect(throws: Refusal("the job is for the image test, this runner's is unknown")) {
            try Self.open(sealed, image: nil)
        }
    }

    @Test func aSecretThatWasNotGranted() throws {
        let sealed = try Self.sealed(TestGrant.body(Self.definition, ["other": "x"]))
        #expect(throws: Refusal("the grant lacks the secret 'deploy-key', which step 2 'deploy' names")) {
            try Self.open(sealed)
        }
    }

    /// A secret cannot take the place of the job's own token.
    @Test func theTokensNameIsReserved() throws {
        let contents = try Self.open(
            Self.sealed(TestGrant.body(Self.definition, ["deploy-key": "a", "bulkhead-job-token": "forged"])))
        #expect(Self.value(contents, "bulkhead-job-token") == "bj1.token")
    }

    @Test func everyFlippedByteAndEveryCut() throws {
        let sealed = try Self.sealed(TestGrant.body(Self.definition, Self.secrets))
        #expect(throws: Never.self) { try Self.open(sealed) }
        for place in sealed.indices {
            var changed = sealed
            changed[place] ^= 1 << UInt8(place % 8)
            #expect(throws: Refusal.self) { try Self.open(changed) }
            #expect(throws: Refusal.self) { try Self.open(Array(sealed[..<place])) }
        }
        #expect(throws: Refusal.self) { try Self.open(sealed + [0]) }
    }

    /// The reader in place and the generated decoder: the same bytes are taken, and the same values found.
    @Test(arguments: 0..<300 as Range<UInt64>)
    func theReaderAgreesWithTheSchema(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let secrets = (0..<Int.random(in: 0...32, using: &random)).map { index in
            GrantedSecret(
                name: "n\(index)", value: random.bytes(Int.random(in: 1...(index == 0 ? 8192 : 40), using: &random)))
        }
        let body = GrantBody(
            attempt: Attempt(
                job: .random(in: 0 ... .max, using: &random), attempt: .random(in: 0 ... .max, using: &random),
                epoch: .random(in: 0 ... .max, using: &random)),
            definition: .random(), token: String(repeating: "t", count: .random(in: 1...160, using: &random)),
            seal: .random(), secrets: secrets)
        var bytes = try body.encoded()
        let contents = try GrantContents(CryptoTests.wiped(bytes))
        #expect(contents.attempt == body.attempt)
        #expect(contents.definition == body.definition)
        #expect(Self.value(contents, "bulkhead-job-token") == body.token)
        for secret in secrets {
            var found: [UInt8] = []
            #expect(contents.withValue(secret.name) { found = Array($0) })
            #expect(found == secret.value)
        }
        // Damage in the lengths and the structure: never more lenient than the decoder.
        for _ in 0..<20 {
            let place = Int.random(in: 52..<bytes.count, using: &random)
            let kept = bytes[place]
            bytes[place] = .random(in: 0 ... .max, using: &random)
            if (try? GrantContents(CryptoTests.wiped(bytes))) != nil {
                do throws(WireError) {
                    _ = try GrantBody.decoded(bytes)
                } catch {
                    // A text's own shape is all that the reader does not look at: names are compared, never shown.
                    #expect(error == .badUTF8 || error == .nulInText, "seed \(seed)")
                }
            }
            bytes[place] = kept
        }
        #expect(throws: GrantContents.Malformed.self) { try GrantContents(CryptoTests.wiped(bytes + [0])) }
        #expect(throws: GrantContents.Malformed.self) { try GrantContents(CryptoTests.wiped(Array(bytes.dropLast()))) }
    }
}
