// A runner that waits rehearses: it does so, nothing of the image runs, and nothing is left of it.

import Files
import Glibc
import Posix
import Testing
import Wire

@Suite(.serialized) struct RehearsalTests {
    /// Tells that a directory was opened: of the runner's grant, a rehearsal is the only one to do so before a job.
    private final class Openings {
        private let raw: Int32

        init(_ path: String) throws {
            raw = inotify_init1(O_NONBLOCK | O_CLOEXEC)
            guard raw >= 0, inotify_add_watch(raw, path, UInt32(IN_OPEN)) >= 0 else {
                throw HarnessError(description: "no inotify")
            }
        }

        deinit { close(raw) }

        var hasHappened: Bool {
            var bytes = [UInt8](repeating: 0, count: 4096)
            return read(raw, &bytes, bytes.count) > 0
        }
    }

    @Test func itRunsNothingAndLeavesNothing() throws {
        let image = try TestDirectory()
        // Steps are another user than a runner that is root.
        try Posix.chmod(image.path, 0o777)
        try image.write("sh", "#!/bin/sh\necho ran >> \(image.path)/ran\nexec /bin/sh \"$@\"\n")
        try Posix.chmod(image.path + "/sh", 0o755)
        let child = try RunnerChild(["shell=\(image.path)/sh"])
        func entries() throws -> [[String]] {
            try ["job", "tmp", "grant"].map { try Posix.directoryEntries(child.directory.path + "/" + $0).sorted() }
        }
        let relay = try TestRelay(child)
        try child.wipe()
        child.wipesKey = false
        let before = try entries()
        let openings = try Openings(child.directory.path + "/grant")
        try relay.attach()
        try relay.run { openings.hasHappened }
        // One turn of the runner's loop; what is answered then comes after it.
        try relay.call(RunnerEdge.Acknowledge(durable: 0))
        #expect(try Posix.directoryEntries(image.path) == ["sh"])
        #expect(try entries() == before)
        #expect(try Posix.readFile("/proc/\(child.pid)/task/\(child.pid)/children", limit: 64).isEmpty)
        #expect(relay.journal.durable == 0 && relay.journal.merged.isEmpty)
        // The control: a job's own step is seen, and its records are the first.
        try relay.start(.of([Step("only", "echo job")]))
        #expect(try relay.finish().state == .succeeded)
        #expect(relay.journal.text == "job\n")
        #expect(try image.read("ran") == "ran\n")
    }
}
