// S3: what the steps' code may do to the runner that runs them; R5: the runner as PID 1, which outlives every process.

import Files
import Link
import Posix
import Processes
import RunnerCore
import Testing
import Wire

@Suite(.serialized) struct RunnerIsolationTests {
    /// Same user, same pid namespace: only that the runner is not dumpable keeps its memory and descriptors from a
    /// step.
    @Test func aStepCannotLookIntoTheRunner() throws {
        let child = try RunnerChild(as: .nobody)
        let relay = try TestRelay(child)
        try relay.attach()
        let look = """
            cat /proc/$PPID/environ > /dev/null && echo READ
            cat /proc/$PPID/mem > /dev/null && echo READ
            ls /proc/$PPID/fd > /dev/null && echo READ
            echo x > /proc/$PPID/fd/1 && echo WROTE
            tr '\\0' '\\n' < /proc/$$/environ | grep BULKHEAD=
            """
        try relay.start(.of([Step("look", "set +e\n" + look)]))
        _ = try relay.finish()
        // The last line is the control: of its own processes it sees this much.
        #expect(relay.journal.text == "BULKHEAD=true\n")
        #expect(relay.journal.errors.contains("Permission denied"))
    }

    @Test func noRoomForTheRunnersEnvironment() throws {
        let relay = try TestRelay(RunnerChild())
        try relay.attach()
        try relay.start(.of([Step("env", "env")]))
        _ = try relay.finish()
        #expect(relay.journal.text.contains("CI=true"))
        #expect(!relay.journal.text.contains("RUNNERS_OWN"))
    }

    /// The filter of jobs closes calls that name process 1 (prlimit64, signals with words), and knows of no other
    /// thread of it.
    @Test func theRunnerHasOneThread() throws {
        let child = try RunnerChild()
        let relay = try TestRelay(child)
        try relay.attach()
        try relay.start(.of([Step("wait", "echo up; exec sleep 1000")]))
        try relay.run { relay.journal.text == "up\n" }
        #expect(try Posix.directoryEntries("/proc/\(child.pid)/task") == ["\(child.pid)"])
        #expect(try Posix.directoryEntries("/proc/self/task").count > 1, "the control: this process has more")
    }

    static var canBeInit: Bool {
        Posix.userID == 0 && (try? Posix.lstat("/usr/bin/unshare")) != nil
    }

    /// As in a container: PID 1, with kill(-1) as its broom. In profile build steps are root as the runner is, and only
    /// its being PID 1 keeps it alive.
    @Test(.enabled(if: canBeInit, "needs root for a pid namespace"))
    func asPID1() throws {
        let child = try RunnerChild(asInit: true)
        let relay = try TestRelay(child)
        try relay.attach()
        let escape = "setsid sh -c 'trap \"\" TERM HUP; echo $$ > pid; sleep 1000' & "
        try relay.start(
            .of(
                [
                    Step("orphan", escape + "while ! test -s pid; do sleep 0.01; done; echo $PPID"),
                    Step("look", "kill -0 $(cat pid) 2>/dev/null && echo ALIVE; ls /proc | grep -c '^[0-9]'; true"),
                    Step("kill", "kill -9 1; kill -STOP 1; echo still here", continueOnError: true),
                ], profile: .build))
        let end = try relay.finish()
        #expect(end.state == .succeeded)
        let lines = relay.journal.text.split(separator: "\n")
        #expect(lines.first == "1")
        // The runner, the step's shell, ls, grep: nobody else.
        #expect(lines.dropFirst().first == "4")
        #expect(!relay.journal.text.contains("ALIVE"))
        #expect(relay.journal.text.hasSuffix("still here\n"))
        try relay.call(RunnerEdge.Quit())
        #expect(try child.wait() == .exited(0))
    }

    /// `docker stop` signals PID 1; the kernel drops what an init has no handler for.
    @Test(.enabled(if: canBeInit, "needs root for a pid namespace"))
    func sigtermReachesPID1() throws {
        let child = try RunnerChild(asInit: true)
        let relay = try TestRelay(child)
        try relay.attach()
        try relay.start(.of([Step("stop", "kill -TERM 1; sleep 1000")], profile: .build))
        #expect(try relay.finish().state == .cancelled, "from inside it is the job's own doing")
        #expect(try child.wait() == .exited(0))
    }

    /// rt_sigqueueinfo names any sender, the engine too; but it cannot say that it is kill(2).
    static let forgery = """
        exec /usr/bin/python3 -c '
        import ctypes, platform, signal, struct
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        libc = ctypes.CDLL(None, use_errno=True)
        call = 129 if platform.machine() == "x86_64" else 138
        for code in (0, -1):
            info = struct.pack("iiiiII", 15, 0, code, 0, 0, 0).ljust(128, bytes(1))
            print("refused" if libc.syscall(call, 1, 15, info) else "sent", flush=True)
        '
        """

    @Test(.enabled(if: canBeInit, "needs root for a pid namespace"))
    func noStepCanLookLikeTheEngine() throws {
        let child = try RunnerChild(asInit: true)
        let relay = try TestRelay(child)
        try relay.attach()
        try relay.start(.of([Step("forge", Self.forgery)], profile: .build))
        #expect(try relay.finish().state == .cancelled)
        #expect(!relay.journal.text.contains("Traceback"), "\(relay.journal.text)")
        #expect(relay.journal.text == "refused\nsent\n")
    }

    /// The engine signals PID 1 from outside; so does this test.
    @Test(.enabled(if: canBeInit, "needs root for a pid namespace"))
    func theEnginesSigtermLosesTheJob() throws {
        let child = try RunnerChild(asInit: true)
        let relay = try TestRelay(child)
        try relay.attach()
        try relay.start(.of([Step("wait", "echo up; exec sleep 1000")], profile: .build))
        try relay.run { relay.journal.text == "up\n" }
        try Posix.kill(try child.initProcess(), Signal.terminate)
        #expect(try relay.finish().state == .lost)
        #expect(try child.wait() == .exited(143))
    }
}
