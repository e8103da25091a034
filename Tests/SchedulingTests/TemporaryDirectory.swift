// A directory of a test's own, gone at its end.

import Files
import Posix

final class TemporaryDirectory {
    let path: String

    init() throws {
        path = "/tmp/bulkhead-scheduler-test-\(UInt64.random(in: .min ... .max))"
        try Posix.mkdir(path, mode: 0o700)
    }

    var database: String { path + "/scheduler.sqlite" }

    deinit {
        for name in (try? Posix.directoryEntries(path)) ?? [] { try? Posix.unlink("\(path)/\(name)") }
        try? Posix.rmdir(path)
    }
}
