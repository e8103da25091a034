// Children get exactly what the spec says.
import Endpoints
import Files
import Posix
import Processes
import Testing

import enum Processes.ExitStatus

extension Base {
    @Suite struct ProcessTests {
        @Test func environmentIsExact() throws {
            let run = try shell("/usr/bin/env -0 | tr '\\0' '\\n' | sort") {
                $0.environment = ["PATH=/usr/bin:/bin", "A=1 2", "B="]
            }
            let names = run.output.split(separator: "\n").filter { !$0.hasPrefix("PWD=") && !$0.hasPrefix("_=") }
            #expect(
                names.filter { !$0.hasPrefix("SHLVL=") && !$0.hasPrefix("OLDPWD=") } == [
                    "A=1 2", "B=", "PATH=/usr/bin:/bin",
                ])
        }

        @Test func descriptorsAreExact() throws {
            let extra = try Posix.open("/etc/passwd", .readOnly)
            let other = try Posix.open("/etc/group", .readOnly)
            // Left open without close-on-exec, as a careless library would.
            let careless = try Posix.duplicate(extra.raw, atLeast: 40)
            try Posix.setCloseOnExec(careless.raw, false)
            // Numbers that cross: each source is the other's target.
            let run = try shell("for f in /proc/self/fd/*; do readlink $f; done; exec ls /proc/self/fd") {
                $0.descriptors = [(extra.raw, other.raw), (other.raw, extra.raw)]
            }
            #expect(run.status == .exited(0))
            let lines = run.output.split(separator: "\n").map(String.init)
            let crossed = try shell("readlink /proc/self/fd/\(extra.raw); readlink /proc/self/fd/\(other.raw)") {
                $0.descriptors = [(extra.raw, other.raw), (other.raw, extra.raw)]
            }
            #expect(crossed.output == "/etc/group\n/etc/passwd\n")
            let numbers = Set(lines.compactMap { Int32($0) })
            #expect(!numbers.contains(careless.raw))
            // 0, 1, 2, the two, and the one with which ls reads the directory.
            #expect(numbers.subtracting([0, 1, 2, extra.raw, other.raw]).count == 1)
            #expect(lines.first == "/dev/null")
        }

        @Test func workingDirectoryAndArguments() throws {
            let run = try shell("pwd; echo \"$1|$2\"") {
                $0.workingDirectory = "/usr/bin"
                $0.arguments += ["sh", "a b", ""]
            }
            #expect(run.output == "/usr/bin\na b|\n")
        }

        @Test func whatCannotStartSaysWhere() throws {
            let before = try openDescriptors()
            let none = ChildSpec(executable: "/nonexistent/program", arguments: ["x"])
            #expect(throws: PosixError.spawn(stage: .exec, errno: 2)) { try Posix.spawn(none) }
            var lost = ChildSpec(executable: "/bin/true", arguments: ["true"])
            lost.workingDirectory = "/nonexistent"
            let homeless = lost
            #expect(throws: PosixError.spawn(stage: .directory, errno: 2)) { try Posix.spawn(homeless) }
            let closed = ChildSpec(executable: "/bin/true", arguments: ["true"], stdout: 999)
            #expect(throws: PosixError.spawn(stage: .descriptors, errno: 9)) { try Posix.spawn(closed) }
            let cut = ChildSpec(executable: "/bin/true", arguments: ["a\0b"])
            #expect(throws: PosixError.badPath("a\0b")) { try Posix.spawn(cut) }
            #expect(try openDescriptors() == before)
            // Nobody is left behind unreaped.
            #expect(Posix.reap().isEmpty)
        }

        @Test(.enabled(if: Posix.userID == 0)) func userIsDropped() throws {
            let run = try shell("grep -E '^(Uid|Gid|Groups|CapEff|CapPrm|CapBnd):' /proc/self/status") {
                $0.user = ChildUser(uid: 7701, gid: 7702, groups: [7711, 7712])
            }
            let lines = run.output.split(separator: "\n").map {
                $0.split(whereSeparator: \.isWhitespace).map(String.init)
            }
            #expect(lines.contains(["Uid:", "7701", "7701", "7701", "7701"]))
            #expect(lines.contains(["Gid:", "7702", "7702", "7702", "7702"]))
            #expect(lines.contains(["Groups:", "7711", "7712"]))
            #expect(lines.contains(["CapEff:", "0000000000000000"]))
            #expect(lines.contains(["CapPrm:", "0000000000000000"]))
            #expect(lines.contains(["CapBnd:", "0000000000000000"]))
        }

        @Test func signalsAreReset() throws {
            // In a thread of its own, which takes its mask with it.
            _ = try ThreadThatEnds.run {
                try Posix.ignoreBrokenPipes()
                try Posix.blockSignals([Signal.user1])
                let own = String(decoding: try Posix.readFile("/proc/thread-self/status", limit: 65_536), as: UTF8.self)
                // The control: here it is ignored and blocked.
                #expect(Self.mask("SigIgn:", in: own) & 1 << 12 != 0)
                #expect(Self.mask("SigBlk:", in: own) & 1 << 9 != 0)
                let run = try shell("exec grep -E '^Sig(Blk|Ign):' /proc/self/status")
                #expect(run.output == "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n")
                return 0
            }
        }

        private static func mask(_ name: String, in status: String) -> UInt64 {
            let line = status.split(separator: "\n").first { $0.hasPrefix(name) }
            return line.flatMap { UInt64($0.dropFirst(name.count + 1), radix: 16) } ?? 0
        }

        @Test func noNewPrivilegesSessionAndGroup() throws {
            let run = try shell(
                "grep NoNewPrivs /proc/self/status; set -- $(cat /proc/$$/stat); echo $(($5 == $$)) $(($6 == $$))"
            ) {
                $0.noNewPrivileges = true
                $0.newSession = true
            }
            #expect(run.output == "NoNewPrivs:\t1\n1 1\n")
            let control = try shell(
                "grep NoNewPrivs /proc/self/status; set -- $(cat /proc/$$/stat); echo $(($5 == $$)) $(($6 == $$))")
            #expect(control.output == "NoNewPrivs:\t0\n0 0\n")
        }

        @Test func theChildLearnsItsOwnNumber() throws {
            let run = try shell("echo $LISTEN_PID $$") { $0.pidVariable = "LISTEN_PID" }
            let numbers = run.output.split(whereSeparator: \.isWhitespace)
            #expect(numbers.count == 2)
            #expect(numbers.first == numbers.last)
        }

        @Test func deathSignalEndsTheChildWithItsParent() throws {
            // The parent is a process of its own that spawns a child which holds our pipe open, and is killed.
            let ends = try Posix.pipe()
            var child = ChildSpec(executable: "/bin/sleep", arguments: ["sleep", "1000"], environment: [])
            child.stdout = ends.second.raw
            child.deathSignal = Signal.kill
            let spec = child
            // A thread that ends is "the parent" to the kernel.
            let pid = try ThreadThatEnds.run { try Posix.spawn(spec) }
            #expect(Posix.wait(pid: pid) == .signalled(Signal.kill))
            withExtendedLifetime(ends) {}
        }

        @Test func reapTellsHowEachEnded() throws {
            let ended = try Posix.spawn(ChildSpec(executable: "/bin/sh", arguments: ["sh", "-c", "exit 7"]))
            let killed = try Posix.spawn(
                ChildSpec(executable: "/bin/sleep", arguments: ["sleep", "1000"], environment: []))
            #expect(Posix.reap(pid: killed) == nil)
            try Posix.kill(killed, Signal.terminate)
            var found: [Int32: ExitStatus] = [:]
            let loop = try PollLoop()
            // A poll every few milliseconds until both have ended; SIGCHLD would meet another thread here.
            while found.count < 2 {
                for child in Posix.reap() { found[child.pid] = child.status }
                loop.after(.milliseconds(2)) {}
                loop.runPass(waiting: .milliseconds(5))
            }
            #expect(found == [ended: .exited(7), killed: .signalled(Signal.terminate)])
            #expect(Posix.reap().isEmpty)
        }

        @Test func killNeverReachesAGroupByAccident() {
            for pid: Int32 in [0, -1, -5] {
                #expect(throws: PosixError.system(call: "kill", errno: 22)) { try Posix.kill(pid, Signal.terminate) }
            }
        }
    }
}
