// Which step sees which secret, how, and for how long.

import Files
import Foundation
import Posix
import Processes
import RunnerCore
import Testing
import Wire

@Suite(.serialized) struct SecretStepTests {
    static let canary = "canary-\(Bytes32.random().hex)"
    static let asVariable = SecretUse("deploy-key", .variable, "KEY")
    static let asFile = SecretUse("deploy-key", .file, "KEY_FILE")

    /// Runs a job that is granted `secrets`.
    static func run(
        _ steps: [Step], _ secrets: [String: String] = ["deploy-key": canary], profile: Profile = .strict,
        as standing: RunnerChild.Standing = .same, env: [Variable] = []
    ) throws -> (Journal, RunnerChild) {
        let child = try RunnerChild(as: standing)
        let relay = try TestRelay(child)
        try relay.attach()
        let definition = JobDefinition.of(.of(steps, env: env, profile: profile))
        if steps.contains(where: { !$0.secrets.isEmpty }) { try child.grant(definition, secrets) }
        try relay.start(definition)
        if steps.contains(where: { !$0.secrets.isEmpty }) {
            try relay.run {
                relay.journal.end != nil || relay.journal.records.contains(.grantTaken(RunnerEdge.GrantTaken()))
            }
            try child.wipe()
        }
        _ = try relay.finish()
        return (relay.journal, child)
    }

    /// Searches everything that a step can read: its environment, all of /proc, the job's and the temporary directory.
    /// The pattern does not find itself.
    static let search = """
        ( env; cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n'
          grep -rs canary- "$HOME/.." "$TMPDIR" ) | grep -c '[c]\(canary.dropFirst())' || true

        """

    @Test func aSecretIsForTheStepThatNamesItAlone() throws {
        let hold = "printf '%s\\n' $KEY > /dev/null; cat $KEY_FILE > /dev/null; "
        let (journal, _) = try Self.run([
            Step("with", hold + Self.search, secrets: [Self.asVariable, Self.asFile]),
            Step("without", Self.search),
        ])
        #expect(journal.end?.state == .succeeded)
        let counts = journal.text.split(separator: "\n").compactMap { Int($0) }
        // The first is the control: the same search finds the variable here and there, and the file.
        #expect(counts.count == 2)
        #expect(counts.first ?? 0 >= 2)
        #expect(counts.last == 0)
    }

    @Test func aFileIsItsUsersAloneAndGoesWithTheStep() throws {
        let (journal, child) = try Self.run([
            Step(
                "with",
                "stat -c '%a %n' $KEY_FILE; stat -c '%a' $(dirname $KEY_FILE); cat $KEY_FILE; ln $KEY_FILE kept",
                secrets: [Self.asFile]),
            Step("without", "cat kept; ls ../.secrets | wc -l; echo ${KEY_FILE-unset}"),
        ])
        #expect(journal.end?.state == .succeeded)
        let lines = journal.text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.first?.hasPrefix("400 ") == true)
        #expect(lines.first?.hasSuffix("/job/.secrets/KEY_FILE") == true)
        #expect(lines.dropFirst(1).first == "700")
        // The step had it; what it had kept by another name is empty, and there is no file any more.
        #expect(lines.dropFirst(2).joined(separator: "\n") == "\(Self.canary)0\nunset\n")
        #expect(try child.directory.read("job/src/kept") == "")
    }

    /// What cannot be wiped may be there for the next step to find: there is none.
    @Test(arguments: [("mkdir $KEY_FILE", "unlink"), ("rm -r $(dirname $KEY_FILE)", nil)])
    func aFileThatStaysEndsTheJob(_ made: String, _ problem: String?) throws {
        let (journal, _) = try Self.run([
            Step("with", "rm -f $KEY_FILE; \(made)", continueOnError: true, secrets: [Self.asFile]),
            Step("without", "echo reached"),
        ])
        #expect(journal.text == (problem == nil ? "reached\n" : ""))
        #expect(journal.end?.state == (problem == nil ? .succeeded : .failed))
        let reason = "a file with a secret of step 1 'with' could not be wiped: \(problem ?? "")"
        #expect(problem == nil || journal.end?.reason.hasPrefix(reason) == true)
    }

    private static func secrets(in directory: String) throws -> StepSecrets {
        let step = Step("with", "true", secrets: [asFile])
        let body = try TestGrant.body(.of(.of([step])), ["deploy-key": canary]).encoded()
        return try StepSecrets(step, GrantContents(CryptoTests.wiped(body)), directory: directory, owner: nil)
    }

    @Test func anOverwriteThatFailsIsSaid() throws {
        let directory = try TestDirectory()
        let path = directory.path + "/KEY_FILE"
        let good = try Self.secrets(in: directory.path)
        #expect(try directory.read("KEY_FILE") == Self.canary)
        #expect(good.remove() == nil)
        let bad = try Self.secrets(in: directory.path)
        let raw = try #require(try Self.descriptor(of: path))
        let full = try Posix.open("/dev/full", .writeOnly)
        #expect(dup2(full.raw, raw) == raw)
        #expect(bad.remove()?.hasPrefix("pwrite") == true)
        #expect(throws: PosixError.self) { try Posix.lstat(path) }
    }

    private static func descriptor(of path: String) throws -> Int32? {
        try Posix.directoryEntries("/proc/self/fd").compactMap { Int32($0) }.first {
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")) == path
        }
    }

    /// What a step before left at the place is in the way only if it cannot be removed.
    @Test func whatIsInTheWayIsRemovedOrNamed() throws {
        let directory = try TestDirectory()
        try directory.write("KEY_FILE", "an earlier step's")
        #expect(try Self.secrets(in: directory.path).files.count == 1)
        try directory.write("file", "")
        let refusal = #expect(throws: Refusal.self) { try Self.secrets(in: directory.path + "/file") }
        #expect(refusal?.description.contains("unlink") == true)
    }

    @Test func theJobsTokenAndItsReservedName() throws {
        let token = SecretUse("bulkhead-job-token", .variable, "TOKEN")
        let (journal, _) = try Self.run([Step("call", "echo $TOKEN", secrets: [token])], [:])
        #expect(journal.text == "bj1.token\n")
    }

    @Test func aSecretReplacesAVariableOfItsName() throws {
        let (journal, _) = try Self.run(
            [
                Step(
                    "a", "env | grep -c ^KEY=; test \"$KEY\" = '\(Self.canary)' && echo right",
                    secrets: [Self.asVariable])
            ],
            env: [Variable(name: "KEY", value: "the job's")])
        #expect(journal.text == "1\nright\n")
    }

    @Test func aValueThatIsNoVariable() throws {
        let (journal, _) = try Self.run(
            [Step("a", "true", secrets: [Self.asVariable])], ["deploy-key": "a\0b"])
        let reason = "the secret 'deploy-key' has a zero byte: take it as a file, not as a variable"
        #expect(journal.end?.reason == "step 1 'a' could not start: \(reason)")
        let (file, _) = try Self.run(
            [Step("a", "wc -c < $KEY_FILE", secrets: [Self.asFile])], ["deploy-key": "a\0b"])
        #expect(file.text.trimmed == "3")
    }

    @Test(arguments: ["BULKHEAD_JOB_ID", "BULKHEAD", "../escape", "A=B", "1A", "Ä"])
    func variablesThatAreNone(name: String) throws {
        let (journal, _) = try Self.run([Step("a", "true", secrets: [SecretUse("deploy-key", .file, name)])])
        #expect(journal.end?.reason == "step 1 'a' cannot take a secret as '\(name)'")
    }

    @Test func twoSecretsInOneVariable() throws {
        let (journal, _) = try Self.run([Step("a", "true", secrets: [Self.asVariable, Self.asVariable])])
        #expect(journal.end?.reason == "step 1 'a' cannot take a secret as 'KEY'")
    }
}

extension String {
    var trimmed: String { split(whereSeparator: \.isWhitespace).joined(separator: " ") }
}
