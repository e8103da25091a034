// A runner as a child process, and a relayd of the moment that speaks the real protocol with it.

import Endpoints
import Files
import Glibc
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

    /// What brokerd put into its grant.
    let key = (Bytes32.random()).array
    /// Whether the first relayd finds the key wiped, as schedulerd sees to it in the house.
    var wipesKey = true

    /// Who the runner is.
    enum Standing {
        /// What the test is.
        case same
        /// Root with CAP_KILL, CAP_SETGID and CAP_SETUID only: a container of profile strict for untrusted steps.
        case threeCapabilities
        /// A user without rights; only where the test runs as root.
        case nobody
    }

    /// - Parameters:
    ///   - options: of the fixture: `shell=PATH` and so on.
    ///   - asInit: as PID 1 of pid and IPC namespaces of its own, by unshare(1).
    init(_ options: [String] = [], as standing: Standing = .same, asInit: Bool = false, withKey: Bool = true) throws {
        directory = try TestDirectory()
        try Self.furnish(directory, key: withKey ? key : nil)
        let stdin = try Posix.pipe()
        let stdout = try Posix.pipe()
        let program = try Self.fixture()
        let own = [program, runner.hex, directory.path] + options
        let unshare = ["/usr/bin/unshare", "--pid", "--ipc", "--fork", "--mount-proc", "--kill-child"]
        let setpriv = ["/usr/bin/setpriv", "--bounding-set", "-all,+kill,+setgid,+setuid", "--inh-caps", "-all"]
        let arguments = (asInit ? unshare : []) + (standing == .threeCapabilities ? setpriv : []) + own
        let log = try Posix.open(directory.path + "/stderr", [.writeOnly, .create], mode: 0o600)
        var child = ChildSpec(
            executable: arguments[0], arguments: arguments, environment: ["PATH=/usr/bin:/bin", "RUNNERS_OWN=secret"],
            stdin: stdin.first.raw, stdout: stdout.second.raw, stderr: log.raw)
        if standing == .nobody && Posix.userID == 0 {
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
        // A runner that is killed, or leaves, in the middle of a step leaves its processes: in a container they would
        // go with it.
        while case let pids = Self.processes(below: directory.path), !pids.isEmpty {
            for pid in pids { try? Posix.kill(pid, Signal.kill) }
        }
    }

    /// Those that work below a directory, whatever session they made for themselves.
    static func processes(below directory: String) -> [Int32] {
        let all = (try? Posix.directoryEntries("/proc"))?.compactMap { Int32($0) } ?? []
        return all.filter { workingDirectory(of: $0)?.hasPrefix(directory + "/") == true }
    }

    /// nil: it has none any more, or is not ours to look at.
    private static func workingDirectory(of pid: Int32) -> String? {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = readlink("/proc/\(pid)/cwd", &bytes, bytes.count)
        return count < 0 ? nil : String(decoding: bytes.prefix(count), as: UTF8.self)
    }

    private static func furnish(_ directory: TestDirectory, key: [UInt8]?) throws {
        // Steps may be other users than the test.
        try Posix.chmod(directory.path, 0o755)
        for name in ["job", "tmp", "grant"] { try Posix.mkdir(directory.path + "/" + name, mode: 0o755) }
        try Posix.chmod(directory.path + "/tmp", 0o1777)
        try directory.write("memory.events", "low 0\noom 0\noom_kill 0\n")
        try Posix.chmod(directory.path + "/memory.events", 0o666)
        if let key { try Posix.replaceFile(directory.path + "/grant/key", with: key, mode: 0o444) }
    }

    /// brokerd's Grant: written beside, then renamed.
    func grant(_ sealed: [UInt8]) throws {
        try Posix.replaceFile(directory.path + "/grant/grant", with: sealed, mode: 0o444)
    }

    /// brokerd's Wipe.
    func wipe() throws {
        for name in try Posix.directoryEntries(directory.path + "/grant") {
            try Posix.unlink(directory.path + "/grant/" + name)
        }
    }

    var errors: String { (try? directory.read("stderr")) ?? "" }

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

    /// With `asInit`: the runner itself, as this test's pid namespace numbers it.
    func initProcess() throws -> Int32 {
        let text = String(decoding: try Posix.readFile("/proc/\(pid)/task/\(pid)/children", limit: 64), as: UTF8.self)
        guard let found = text.split(separator: " ").first.flatMap({ Int32($0) }) else {
            throw HarnessError(description: "unshare has no child: '\(text)'")
        }
        return found
    }
}
