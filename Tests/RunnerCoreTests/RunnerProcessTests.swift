// The whole runner as a process: real steps, real pipes, the real protocol.

import Files
import Link
import Posix
import Processes
import RunnerCore
import Tar
import TarFixtures
import Testing
import Wire

@Suite(.serialized) struct RunnerProcessTests {
    /// Runs a job to its end.
    static func run(_ spec: JobSpec, source: [UInt8]? = nil, shell: String? = nil) throws -> (Journal, RunnerChild) {
        let child = try RunnerChild(shell.map { ["shell=" + $0] } ?? [])
        let relay = try TestRelay(child)
        try relay.attach()
        try relay.start(spec, source: source)
        if let source { try relay.put(source) }
        _ = try relay.finish()
        return (relay.journal, child)
    }

    @Test func twoSteps() throws {
        let (journal, _) = try Self.run(
            .of([Step("one", "echo first; echo trouble >&2"), Step("two", "echo second; pwd")]))
        #expect(journal.end == JobResult(state: .succeeded, failedStep: nil, exitCode: 0, reason: ""))
        #expect(journal.outcomes == [.succeeded, .succeeded])
        #expect(journal.text.hasPrefix("first\nsecond\n/tmp/bulkhead-test-"))
        #expect(journal.text.hasSuffix("/job/src\n"))
        #expect(journal.errors == "trouble\n")
    }

    @Test func aStepSeesAFreshEnvironment() throws {
        let spec = JobSpec.of(
            [Step("env", "env; cat /proc/self/oom_score_adj; ls -l /proc/self/fd/0; cat")],
            env: [
                Variable(name: "GREETING", value: "a=b $HOME"), Variable(name: "HOME", value: "/elsewhere"),
                Variable(name: "BULKHEAD_JOB_ID", value: "8"), Variable(name: "BULKHEAD_ATTEMPT", value: "1"),
                Variable(name: "BULKHEAD", value: "false"), Variable(name: "BULKHEAD_TOKEN", value: "mine"),
            ])
        let (journal, _) = try Self.run(spec)
        let lines = journal.text.split(separator: "\n").map(String.init)
        for expected in [
            "CI=true", "BULKHEAD=true", "BULKHEAD_JOB_ID=7", "BULKHEAD_ATTEMPT=2", "GREETING=a=b $HOME",
            "HOME=/elsewhere",
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "1000",
        ] {
            #expect(lines.contains(expected), "\(expected)")
        }
        #expect(lines.contains { $0.hasPrefix("TMPDIR=/tmp/bulkhead-test-") })
        #expect(lines.contains { $0.hasSuffix("/dev/null") })
        #expect(lines.count { $0.hasPrefix("HOME=") } == 1)
        // What Bulkhead says of itself is not the job's to say.
        #expect(lines.count { $0.hasPrefix("BULKHEAD") } == 3)
    }

    @Test func aFailingStepEndsTheJobAndSkipsTheRest() throws {
        let (journal, _) = try Self.run(.of([Step("build", "false; echo unreachable"), Step("test", "echo never")]))
        #expect(journal.outcomes == [.failed, .skipped])
        #expect(journal.end?.reason == "step 1 'build' failed with exit code 1")
        #expect(journal.end?.failedStep == 0)
        #expect(journal.text == "")
        let unnamed = try Self.run(.of([Step("step 1", "false")])).0
        #expect(unnamed.end?.reason == "step 1 failed with exit code 1")
    }

    @Test func continueOnError() throws {
        let (journal, _) = try Self.run(
            .of([Step("lint", "exit 3", continueOnError: true), Step("test", "echo on")]))
        #expect(journal.outcomes == [.failed, .succeeded])
        #expect(journal.end?.state == .succeeded)
        #expect(journal.text == "on\n")
    }

    @Test func aStepTimeout() throws {
        let (journal, _) = try Self.run(
            .of([Step("slow", "echo begun; sleep 1000", timeout: 1), Step("next", "true")]))
        #expect(journal.outcomes == [.timedOut, .skipped])
        #expect(journal.end?.reason == "step 1 'slow' ran longer than 1s")
        #expect(journal.text == "begun\n")
    }

    @Test func cancelWithGraceLetsAStepCleanUp() throws {
        let relay = try TestRelay(RunnerChild())
        try relay.attach()
        try relay.start(.of([Step("s", "trap 'echo cleaning; exit 5' TERM; echo ready; while :; do sleep 0.01; done")]))
        try relay.run { relay.journal.text == "ready\n" }
        try relay.call(RunnerEdge.Cancel(graceSeconds: 60))
        let end = try relay.finish()
        #expect(end.state == .cancelled)
        #expect(end.exitCode == 5)
        #expect(end.reason == "cancelled during step 1 's'")
        #expect(relay.journal.text == "ready\ncleaning\n")
    }

    @Test func cancelWithoutGraceKillsWhatIgnoresSignals() throws {
        let relay = try TestRelay(RunnerChild())
        try relay.attach()
        try relay.start(.of([Step("s", "trap '' TERM; echo ready; while :; do sleep 0.01; done")]))
        try relay.run { relay.journal.text == "ready\n" }
        try relay.call(RunnerEdge.Cancel(graceSeconds: 0))
        #expect(try relay.finish().exitCode == 137)
    }

    /// It left its session, ignores signals, and holds the step's stdout open: the step ends all the same, and it with
    /// it.
    @Test func whatAStepLeavesBehindIsGone() throws {
        let escape = "trap '' TERM HUP; setsid sh -c 'trap \"\" TERM HUP; echo $$ > pid; echo up; sleep 1000' & "
        let (journal, child) = try Self.run(
            .of([
                Step("leave", escape + "while ! test -s pid; do sleep 0.01; done; echo done"), Step("look", "cat pid"),
            ]))
        #expect(journal.end?.state == .succeeded)
        #expect(journal.text.contains("done\n"))
        let pid = try #require(Int32(try child.directory.read("job/src/pid").dropLast()))
        #expect(throws: PosixError.self) { try Posix.kill(pid, 0) }
    }

    @Test func aFastEndLosesNoOutput() throws {
        let (journal, _) = try Self.run(.of([Step("burst", "seq 1 20000; exec kill -9 $$")]))
        #expect(journal.text == (1...20000).map { "\($0)\n" }.joined())
        #expect(journal.end?.reason == "step 1 'burst' was ended by signal 9 (SIGKILL)")
    }

    @Test func outOfMemoryIsSaid() throws {
        let run = "echo 'oom_kill 1' > ../../memory.events; exit 137"
        let (journal, _) = try Self.run(.of([Step("big", run)]))
        #expect(journal.outcomes == [.outOfMemory])
        #expect(
            journal.end?.reason
                == "step 1 'big' ran out of memory: the memory limit of 64MiB was hit; raise resources.memory")
    }

    @Test func anImageWithoutAShell() throws {
        let (journal, _) = try Self.run(.of([Step("one", "true")]), shell: "/no/such/sh")
        #expect(journal.end?.state == .failed)
        #expect(
            journal.end?.reason == "step 1 'one' could not start: the image has no /no/such/sh, which runs the steps")
    }

    // MARK: - The source

    static let tree = TarBuilder.archive {
        $0.directory("tools")
        $0.file("tools/hello.sh", Array("echo hello from the source".utf8), mode: "0000755")
        $0.file("data", [UInt8](repeating: 120, count: 100_000))
    }

    @Test func theSourceIsThereBeforeTheFirstStep() throws {
        let (journal, _) = try Self.run(.of([Step("use", "./tools/hello.sh; wc -c < data")]), source: Self.tree)
        #expect(journal.text == "hello from the source\n100000\n")
        #expect(journal.records.first == .sourceReady(RunnerEdge.SourceReady(files: 3)))
    }

    @Test func aBadSourceIsSaid() throws {
        let bad = TarBuilder.archive { $0.file("../escape", [1]) }
        let (journal, child) = try Self.run(.of([Step("use", "true")]), source: bad)
        #expect(journal.outcomes == [.skipped])
        #expect(journal.end?.reason == "source archive: entry '../escape': path leaves the directory")
        #expect(try Posix.directoryEntries(child.directory.path + "/job") == ["home", "src"])
    }

    /// relayd names a source and brings another: nothing of it is executed.
    @Test func anotherSourceThanTheJobsRunsNothing() throws {
        let child = try RunnerChild()
        let relay = try TestRelay(child)
        try relay.attach()
        let announced = Source(sha256: Digest.of([1, 2, 3]), size: UInt64(Self.tree.count))
        try relay.start(.of(.of([Step("use", "./tools/hello.sh")]), source: announced))
        try relay.put(Self.tree)
        let end = try relay.finish()
        #expect(end.state == .failed)
        let hashes = "its SHA-256 is \(Digest.of(Self.tree).hex), the job's is \(announced.sha256.hex)"
        #expect(end.reason == "source archive: " + hashes)
        #expect(relay.journal.text == "")
        #expect(relay.journal.outcomes == [.skipped])
    }

    @Test func aSourceGoesOnWithTheNextRelay() throws {
        let child = try RunnerChild()
        let first = try TestRelay(child)
        try first.attach()
        try first.start(.of([Step("use", "./tools/hello.sh")]), source: Self.tree)
        try first.put(Self.tree, to: 40_000)
        // Half a frame of the source, and then nothing.
        let header = FrameHeader(
            type: RunnerEdge.PutSource.rule.type, kind: .request, requestID: 99, bodyLength: 30_000)
        try first.die(writing: try TestFrames.bytes(header) + [UInt8](repeating: 0x42, count: 1000))
        let second = try TestRelay(child, journal: first.journal)
        let reply = try second.attach()
        #expect(reply.attempt == .test)
        #expect(reply.sourceReceived == 40_000)
        try second.put(Self.tree, from: 40_000)
        #expect(try second.finish().state == .succeeded)
        #expect(second.journal.text == "hello from the source\n")
    }

    /// relayd brings a source that a job which was refused does not need: that is no violation.
    @Test func theSourceOfARefusedJobIsDropped() throws {
        let relay = try TestRelay(RunnerChild(as: .nobody))
        try relay.attach()
        let refused = Step("x", "true", untrusted: true, secrets: [SecretUse("a", .variable, "A")])
        try relay.start(.of([refused]), source: Self.tree)
        try relay.put(Self.tree)
        #expect(try relay.finish().state == .failed)
        #expect(relay.journal.records.count { $0 == .sourceReady(RunnerEdge.SourceReady(files: 3)) } == 0)
    }

    @Test func aSourceThatComesAfterACancelIsDropped() throws {
        let relay = try TestRelay(RunnerChild())
        try relay.attach()
        try relay.start(.of([Step("x", "true")]), source: Self.tree)
        try relay.put(Self.tree, to: 1000)
        try relay.call(RunnerEdge.Cancel(graceSeconds: 0))
        try relay.put(Self.tree, from: 1000)
        #expect(try relay.finish().state == .cancelled)
        #expect(try Posix.directoryEntries(relay.child.directory.path + "/job/src") == ["tools"])
    }

    @Test func offsetsAndSizesAreChecked() throws {
        let relay = try TestRelay(RunnerChild())
        try relay.attach()
        #expect(try relay.failure(RunnerEdge.PutSource(offset: 0, bytes: [1])) == .conflict)
        try relay.start(.of([Step("use", "true")]), source: Self.tree)
        #expect(try relay.failure(RunnerEdge.PutSource(offset: 1, bytes: [1])) == .invalid)
        try relay.put(Self.tree, to: Self.tree.count - 1)
        let last = UInt64(Self.tree.count - 1)
        #expect(try relay.failure(RunnerEdge.PutSource(offset: last, bytes: [0, 0])) == .tooLarge)
        try relay.put(Self.tree, from: Self.tree.count - 1)
        #expect(try relay.finish().state == .succeeded)
    }

    // MARK: - Requests out of turn

    @Test func requestsOutOfTurn() throws {
        let relay = try TestRelay(RunnerChild())
        // The frame's last byte is 66, "B": it may be the beginning of a preamble, and nothing follows it for now.
        #expect(try relay.failure(RunnerEdge.Resume(durable: 66)) == .conflict)
        try relay.attach()
        #expect(try relay.failure(RunnerEdge.Acknowledge(durable: 1)) == .conflict)
        try relay.start(.of([Step("wait", "echo up; sleep 1000")]))
        try relay.start(.of([Step("wait", "echo again")]))  // the same attempt once more: nothing happens
        let other = Attempt(job: 8, attempt: 1, epoch: 1)
        let definition = JobDefinition.of(.of([Step("x", "true")]))
        #expect(try relay.failure(RunnerEdge.RunJob(attempt: other, definition: definition)) == .busy)
        try relay.run { relay.journal.text == "up\n" }
    }

    @Test func quitEndsTheProcess() throws {
        let child = try RunnerChild()
        let relay = try TestRelay(child)
        try relay.attach()
        try relay.start(.of([Step("wait", "echo $$ > pid; echo up; exec sleep 1000")]))
        try relay.run { relay.journal.text == "up\n" }
        try relay.call(RunnerEdge.Quit())
        #expect(try child.wait() == .exited(0))
    }

    /// Of the tests themselves: whichever ends in the middle of a step, passed or failed, leaves no process behind.
    @Test func aRunnerThatIsLetGoTakesItsStepAlong() throws {
        let directory: String
        do {
            let child = try RunnerChild()
            let relay = try TestRelay(child)
            directory = child.directory.path
            try relay.attach()
            try relay.start(.of([Step("wait", "setsid sleep 1000 & echo up; sleep 1000")]))
            try relay.run { relay.journal.text == "up\n" }
            withExtendedLifetime(child) { #expect(RunnerChild.processes(below: directory).count >= 2) }
        }
        #expect(RunnerChild.processes(below: directory) == [])
    }

    @Test func sigtermIsACancelWithGrace() throws {
        let child = try RunnerChild()
        let relay = try TestRelay(child)
        try relay.attach()
        try relay.start(.of([Step("wait", "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.01; done")]))
        try relay.run { relay.journal.text == "up\n" }
        try child.signal(Signal.terminate)
        #expect(try relay.finish().state == .cancelled)
        #expect(relay.journal.text == "up\nbye\n")
        #expect(try child.wait() == .exited(0))
    }

    @Test func sigtermWithoutAJob() throws {
        let child = try RunnerChild()
        let relay = try TestRelay(child)
        try relay.attach()
        try child.signal(Signal.terminate)
        #expect(try child.wait() == .exited(0), "an idle runner leaves at once")
    }
}
