// A runner as a child process, and a relayd of the moment that speaks the real protocol with it.

import Endpoints
import Files
import Link
import Posix
import Processes
import RunnerCore
import Wire

/// What went wrong in a test's own machinery.
struct HarnessError: Error, CustomStringConvertible {
    let description: String
}

/// The process `runner-fixture` with its pipes. They outlive every `TestRelay`, as the engine's do.
final class RunnerChild {
    let runner = Bytes16.random()
    let directory: TestDirectory
    let pid: Int32
    /// Our ends: its stdin and its stdout.
    let input: FileDescriptor
    let output: FileDescriptor
    private(set) var status: ExitStatus?

    /// - Parameters:
    ///   - shell: instead of /bin/sh.
    ///   - asInit: as PID 1 of a pid namespace of its own, by unshare(1).
    ///   - asNobody: under a user without rights; only where the test runs as root.
    init(shell: String? = nil, asInit: Bool = false, asNobody: Bool = false) throws {
        directory = try TestDirectory()
        try Posix.mkdir(directory.path + "/job", mode: 0o755)
        try Posix.mkdir(directory.path + "/tmp", mode: 0o755)
        try directory.write("memory.events", "low 0\noom 0\noom_kill 0\n")
        let stdin = try Posix.pipe()
        let stdout = try Posix.pipe()
        let program = try Self.fixture()
        let own = [program, runner.hex, directory.path] + (shell.map { [$0] } ?? [])
        let unshare = ["/usr/bin/unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
        let arguments = asInit ? unshare + own : own
        let log = try Posix.open(directory.path + "/stderr", [.writeOnly, .create], mode: 0o600)
        var child = ChildSpec(
            executable: arguments[0], arguments: arguments, environment: ["PATH=/usr/bin:/bin", "RUNNERS_OWN=secret"],
            stdin: stdin.first.raw, stdout: stdout.second.raw, stderr: log.raw)
        if asNobody {
            child.user = ChildUser(uid: 65534, gid: 65534)
            for name in ["", "/job", "/tmp"] { try Posix.chown(directory.path + name, uid: 65534, gid: 65534) }
        }
        pid = try Posix.spawn(child)
        input = stdin.keepSecond()
        output = stdout.keepFirst()
    }

    deinit {
        if status == nil {
            try? Posix.kill(pid, Signal.kill)
            _ = Posix.wait(pid: pid)
        }
    }

    /// The executable lies beside the test's own.
    private static func fixture() throws -> String {
        let own = CommandLine.arguments[0]
        guard let slash = own.lastIndex(of: "/") else { throw HarnessError(description: "no path in \(own)") }
        return own[..<slash] + "/runner-fixture"
    }

    /// Waits for its end.
    func wait() throws -> ExitStatus {
        guard let found = Posix.wait(pid: pid) else { throw HarnessError(description: "no such child") }
        status = found
        return found
    }

    func signal(_ number: Int32) throws { try Posix.kill(pid, number) }
}
