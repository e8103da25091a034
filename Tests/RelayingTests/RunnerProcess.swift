// The real runner as a process (runner-fixture), at the end of a socket: what an engine would attach.

import Endpoints
import Files
import Posix
import Processes
import Wire

final class RunnerProcess {
    let id = Bytes16.random()
    let stream: FileDescriptor
    private let pid: Int32
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        for name in ["job", "tmp", "grant"] { try Posix.mkdir("\(directory.path)/\(name)", mode: 0o755) }
        let key = Bytes32.random().array
        try Posix.replaceFile(directory.path + "/grant/key", with: key, mode: 0o444)
        let ends = try Posix.socketPair()
        // The executable lies beside the test's own.
        let folder = CommandLine.arguments[0].split(separator: "/", omittingEmptySubsequences: false).dropLast()
        let program = folder.joined(separator: "/") + "/runner-fixture"
        pid = try Posix.spawn(
            ChildSpec(
                executable: program, arguments: [program, id.hex, directory.path], environment: ["PATH=/usr/bin:/bin"],
                stdin: ends.first.raw, stdout: ends.first.raw))
        stream = ends.keepSecond()
    }

    func signal(_ number: Int32) throws { try Posix.kill(pid, number) }

    deinit {
        try? Posix.kill(pid, Signal.kill)
        _ = Posix.wait(pid: pid)
    }
}
