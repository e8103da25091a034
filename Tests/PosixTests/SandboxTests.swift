// Confinement, each in a process of its own, since none of it can be undone. What is checked is the kernel's own
// account.
import Files
import Posix
import Processes
import Sandbox
import Testing

enum KernelStatus {
    /// A field of /proc/thread-self/status, as hexadecimal or decimal digits.
    static func field(_ name: String) throws -> String {
        let status = String(decoding: try Posix.readFile("/proc/thread-self/status", limit: 65_536), as: UTF8.self)
        let line = status.split(separator: "\n").first { $0.hasPrefix(name + ":") }
        return line.map { String($0.dropFirst(name.count + 1).drop(while: \.isWhitespace)) } ?? "absent"
    }

    static let none = "0000000000000000"
}

extension Base {
    @Suite struct SandboxTests {
        @Test(.enabled(if: Posix.userID == 0)) func rootLosesEverything() async {
            await #expect(processExitsWith: .success) {
                // The control: before, all of it is there.
                #expect(try KernelStatus.field("NoNewPrivs") == "0")
                for set in ["CapEff", "CapPrm", "CapBnd"] {
                    #expect(try KernelStatus.field(set) != KernelStatus.none)
                }
                try Sandbox.dropAllCapabilities()
                try Sandbox.noNewPrivileges()
                #expect(try KernelStatus.field("NoNewPrivs") == "1")
                for set in ["CapEff", "CapPrm", "CapBnd", "CapInh", "CapAmb"] {
                    #expect(try KernelStatus.field(set) == KernelStatus.none)
                }
                // And it means something: even as uid 0, a file of somebody else stays closed.
                #expect(throws: PosixError.self) { try Posix.chown("/etc", uid: 1, gid: 1) }
            }
        }

        @Test(.enabled(if: Posix.userID == 0)) func anOrdinaryUserGivesUpWhatHeMay() async {
            await #expect(processExitsWith: .success) {
                try Placement.becomeUser(uid: 7701, gid: 7702, groups: [7711])
                try Sandbox.refuseRoot()
                try Sandbox.dropAllCapabilities()
                try Sandbox.noNewPrivileges()
                #expect(try KernelStatus.field("CapEff") == KernelStatus.none)
                #expect(try KernelStatus.field("CapPrm") == KernelStatus.none)
                #expect(
                    try KernelStatus.field("Uid").split(whereSeparator: \.isWhitespace) == [
                        "7701", "7701", "7701", "7701",
                    ])
                #expect(
                    try KernelStatus.field("Gid").split(whereSeparator: \.isWhitespace) == [
                        "7702", "7702", "7702", "7702",
                    ])
                #expect(try KernelStatus.field("Groups").split(whereSeparator: \.isWhitespace) == ["7711"])
                #expect(throws: PosixError.self) { try Placement.becomeUser(uid: 0, gid: 0) }
            }
        }

        @Test(.enabled(if: Posix.userID == 0)) func rootIsRefused() {
            #expect(throws: SandboxError.runsAsRoot) { try Sandbox.refuseRoot() }
        }

        @Test func limitsHold() async {
            await #expect(processExitsWith: .success) {
                try Sandbox.setLimits(openFiles: 32)
                let limits = String(decoding: try Posix.readFile("/proc/self/limits", limit: 65_536), as: UTF8.self)
                let words = limits.split(separator: "\n").map { $0.split(whereSeparator: \.isWhitespace) }
                #expect(words.contains { $0.starts(with: ["Max", "core", "file", "size", "0", "0"]) })
                #expect(words.contains { $0.starts(with: ["Max", "open", "files", "32", "32"]) })
                #expect(throws: PosixError.system(call: "fcntl", errno: 22)) {
                    _ = try Posix.duplicate(0, atLeast: 32).raw
                }
            }
        }

        @Test(.enabled(if: Posix.userID == 0)) func memoryIsClosedToTheSameUser() async {
            await #expect(processExitsWith: .success) {
                try Placement.becomeUser(uid: 7701, gid: 7702)
                // By way of this thread: the runner of the tests has ended the first one, and it took its old user
                // along.
                let look = "cat /proc/\(Posix.processID)/task/\(try KernelStatus.field("Pid"))/environ >/dev/null 2>&1"
                var child = ChildSpec(executable: "/bin/sh", arguments: ["sh", "-c", look])
                child.environment = ["PATH=/usr/bin:/bin"]
                // The control: a change of user, and the runner of the tests, have made the process undumpable already.
                try #require(Placement.setDumpable())
                let before = Posix.wait(pid: try Posix.spawn(child))
                #expect(before == .exited(0))
                try Sandbox.notDumpable()
                let after = Posix.wait(pid: try Posix.spawn(child))
                #expect(after == .exited(1))
            }
        }

        @Test(.enabled(if: Posix.userID == 0)) func aConfinedProcessStillPublishesFiles() async {
            await #expect(processExitsWith: .success) {
                try Placement.becomeUser(uid: 7701, gid: 7702)
                try Sandbox.dropAllCapabilities()
                try Sandbox.notDumpable()
                // By way of /proc/self/fd, which belongs to root now.
                let file = try Posix.openTemporary("/tmp")
                let name = "/tmp/bulkhead-test-\(Posix.processID)"
                try Posix.linkTemporary(file.raw, to: name)
                try Posix.unlink(name)
                let reader = try Posix.open("/proc/self/fd/\(file.raw)", .readOnly)
                #expect(try Posix.descriptorKind(reader.raw) == .file(readable: true, writable: false))
            }
        }

        @Test func onlyTheListedDescriptorsSurvive() async {
            await #expect(processExitsWith: .success) {
                let one = try Posix.open("/dev/null", .readOnly)
                let two = try Posix.open("/dev/null", .readOnly)
                let far = try Posix.duplicate(one.raw, atLeast: 200)
                let lost = try Posix.duplicate(one.raw, atLeast: 100)
                let doomed = [one.raw, lost.raw]
                // The runtime's own threads have descriptors in this process, and crash without them: they are kept.
                let kept = try openNumbers().filter { !doomed.contains($0) }
                #expect(kept.contains(far.raw))
                #expect(kept.contains(two.raw))
                try Sandbox.closeAllExcept(kept.shuffled())
                for raw in doomed { #expect((try? Posix.fstat(raw)) == nil) }
                for raw in kept { #expect((try? Posix.fstat(raw)) != nil) }
                // Their numbers are free already; nobody else may be closed in their name.
                _ = one.release()
                _ = lost.release()
            }
        }
    }
}
