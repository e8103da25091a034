// The whole runner packs what real steps have left.

import Files
import Glibc
import Posix
import RunnerCore
import Testing
import Wire

@Suite(.serialized) struct ArtifactProcessTests {
    private func spec(_ run: String, _ rules: [ArtifactRule], profile: Profile = .strict) -> JobSpec {
        .of([Step("make", run)], profile: profile, artifacts: rules)
    }

    @Test func aJobLeavesItsFiles() throws {
        let make = "mkdir build; echo result > build/out; echo x > a.log; echo y > b.log; exit $FAILS"
        for (fails, rules) in [("0", [0, 2]), ("1", [1, 2])] as [(String, [UInt16])] {
            var job = spec(
                make,
                [
                    ArtifactRule(["build"]), ArtifactRule(["*.log"], exclude: ["b*"], when: .onFailure),
                    ArtifactRule(["none"], when: .always),
                ])
            job.env = [Variable(name: "FAILS", value: fails)]
            let (journal, _) = try RunnerProcessTests.run(job)
            #expect(journal.artifactEnds.map(\.rule) == rules)
            #expect(journal.artifactEnds.map(\.files) == [fails == "0" ? 2 : 1, 0])
            #expect(journal.artifactEnds.allSatisfy { $0.problem == "" })
            let expected = fails == "0" ? ["directory build", "file build/out 7"] : ["file a.log 2"]
            #expect(try ArtifactPackerTests.members(journal.artifacts[rules[0]] ?? []) == expected)
            #expect(journal.artifacts.count == 1)
            guard case .jobEnded(let end) = journal.records.last else {
                Issue.record("the end is not last")
                return
            }
            #expect(end.state == (fails == "0" ? .succeeded : .failed))
        }
    }

    @Test func stepsAfterAFailure() throws {
        let steps = [
            Step("build", "echo building; exit 3"), Step("test", "echo never"),
            Step("report", "echo reporting", when: .onFailure),
            Step("after", "echo after; exit 1", continueOnError: true, when: .always),
        ]
        let (journal, _) = try RunnerProcessTests.run(.of(steps))
        #expect(journal.text == "building\nreporting\nafter\n")
        #expect(journal.outcomes == [.failed, .skipped, .succeeded, .failed])
        #expect(journal.end?.exitCode == 3 && journal.end?.failedStep == 0)
    }

    @Test func aCancelledJobHasItsLastWord() throws {
        let relay = try TestRelay(RunnerChild())
        try relay.attach()
        let steps = [Step("s", "echo ready; sleep 1000"), Step("after", "echo after", when: .always)]
        try relay.start(.of(steps, artifacts: [ArtifactRule(["**"], when: .always)]))
        try relay.run { relay.journal.text == "ready\n" }
        try relay.call(RunnerEdge.Cancel(graceSeconds: 60))
        #expect(try relay.finish().state == .cancelled)
        #expect(relay.journal.text == "ready\nafter\n" && relay.journal.artifactEnds == [])
    }

    static let large = "head -c 5000000 /dev/urandom > large; cksum < large"
    static let largeRule = [ArtifactRule(["large"])]

    /// relayd takes nothing for a while, and then one relayd dies: every byte comes once.
    @Test func aSlowRelayAndADeadOne() throws {
        let child = try RunnerChild()
        let first = try TestRelay(child)
        try first.attach()
        try first.start(spec(Self.large, Self.largeRule))
        try first.run { first.journal.outcomes.count == 1 }
        first.acknowledges = false
        let before = first.journal.artifacts[0]?.count ?? 0
        try first.run { (first.journal.artifacts[0]?.count ?? 0) - before > 700_000 }
        // What comes beyond this is a second MiB.
        for _ in 0..<20 { first.loop.runPass(waiting: .milliseconds(5)) }
        #expect((first.journal.artifacts[0]?.count ?? 0) - before <= 2 << 20)
        #expect(first.journal.end == nil)
        var journal = first.journal
        try first.die()
        // What it took is on its disk, although it has not said so.
        let second = try TestRelay(child, journal: journal)
        try second.attach()
        #expect(try second.finish().state == .succeeded)
        journal = second.journal
        let archive = journal.artifacts[0] ?? []
        #expect(try ArtifactPackerTests.members(archive) == ["file large 5000000"])
        let file = try Posix.readFile(child.directory.path + "/job/src/large", limit: 5_000_000)
        #expect(Array(archive[512..<5_000_512]) == file)
        #expect(journal.artifactEnds == [RunnerEdge.ArtifactEnded(rule: 0, files: 1, problem: "", seal: nil)])
    }

    /// By the key of its grant: over the rule's number and every byte of its archive, also of one that came late.
    @Test func aJobWithAGrantSealsWhatItLeaves() throws {
        let child = try RunnerChild()
        let relay = try TestRelay(child)
        try relay.attach()
        var spec = spec("printf one > one; printf two > two", [ArtifactRule(["one"]), ArtifactRule(["two"])])
        spec.steps[0].secrets = [SecretUse("deploy-key", .variable, "KEY")]
        let definition = JobDefinition.of(spec)
        try child.grant(definition, ["deploy-key": "value"])
        try relay.start(definition)
        try relay.run { relay.journal.records.contains(.grantTaken(RunnerEdge.GrantTaken())) }
        try child.wipe()
        #expect(try relay.finish().state == .succeeded)
        #expect(relay.journal.artifactEnds.count == 2)
        for (rule, ended) in relay.journal.artifactEnds.enumerated() {
            let archive = relay.journal.artifacts[UInt16(rule)] ?? []
            let size = UInt64(archive.count)
            let expected = TestGrant.seal(rule: UInt16(rule), size: size, Digest.of(archive))
            #expect(ended.seal == expected && ended.files == 1)
        }
        #expect(Set(relay.journal.artifactEnds.map(\.seal)).count == 2)
    }

    @Test func aCancelledJobIsNotPackedToTheEnd() throws {
        let relay = try TestRelay(RunnerChild())
        try relay.attach()
        try relay.start(spec(Self.large, Self.largeRule))
        try relay.run { relay.journal.outcomes.count == 1 }
        relay.acknowledges = false
        try relay.run { relay.journal.artifacts[0] != nil }
        try relay.call(RunnerEdge.Cancel(graceSeconds: 60))
        let end = try relay.finish()
        #expect(end.state == .cancelled && end.reason == "cancelled while its files were packed")
        let ended = RunnerEdge.ArtifactEnded(
            rule: 0, files: 0, problem: "cancelled while its files were packed", seal: nil)
        #expect(relay.journal.artifactEnds == [ended])
        #expect(relay.journal.artifacts[0]?.count ?? 0 < 5_000_000)
    }

    @Test func aSourceThatIsALinkByNow() throws {
        let outside = try TestDirectory()
        defer { withExtendedLifetime(outside) {} }
        try outside.write("secret", "canary")
        try Posix.chmod(outside.path, 0o755)
        let child = try RunnerChild(as: .nobody)
        let relay = try TestRelay(child)
        try relay.attach()
        try relay.start(spec("cd ..; mv src was; ln -s \(outside.path) src", [ArtifactRule(["**"])]))
        #expect(try relay.finish().state == .succeeded)
        #expect(relay.journal.artifacts.isEmpty)
        #expect(relay.journal.artifactEnds.first?.problem.hasPrefix("the source directory cannot be opened") == true)
    }

    /// The runner may be root: it reads as the steps' user, and so no more than they can. With steps that are root, the
    /// same files are in the archive.
    @Test(.enabled(if: Posix.userID == 0, "the runner is root"), arguments: [Profile.strict, .build])
    func itReadsAsTheStepsUser(profile: Profile) throws {
        let child = try RunnerChild()
        let relay = try TestRelay(child)
        try relay.attach()
        let wait = "echo mine > mine; echo up; while ! test -e go; do sleep 0.01; done"
        try relay.start(spec(wait, [ArtifactRule(["**"])], profile: profile))
        try relay.run { relay.journal.text == "up\n" }
        for name in ["roots", "linked"] {
            try child.directory.write("job/src/" + name, "canary")
            try Posix.chmod(child.directory.path + "/job/src/" + name, 0o600)
        }
        try Posix.mkdir(child.directory.path + "/job/src/closed", mode: 0o700)
        try child.directory.write("job/src/closed/file", "canary")
        try child.directory.write("job/src/go", "")
        _ = try relay.finish()
        let archive = relay.journal.artifacts[0] ?? []
        let isRoot = profile == .build
        #expect((archive.firstRange(of: Array("canary".utf8)) != nil) == isRoot)
        let problem = relay.journal.artifactEnds.first?.problem ?? ""
        #expect(problem.contains("is left out: open failed with errno 13 (and 2 more)") == !isRoot, "\(problem)")
        #expect(try ArtifactPackerTests.members(archive).contains("file mine 5"))
    }
}
