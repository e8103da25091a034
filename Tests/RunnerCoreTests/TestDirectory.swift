// A directory of a test's own, gone with it.

import Files
import Posix

/// Makes `/tmp/bulkhead-test-...`; removes it and what is in it at the end.
final class TestDirectory {
    let path: String

    init() throws {
        path = "/tmp/bulkhead-test-\(UInt64.random(in: 0 ... .max))"
        try Posix.mkdir(path, mode: 0o700)
    }

    deinit { Self.remove(path) }

    static func remove(_ path: String) {
        guard let status = try? Posix.lstat(path) else { return }
        if status.kind == .directory {
            for name in (try? Posix.directoryEntries(path)) ?? [] { remove(path + "/" + name) }
            try? Posix.rmdir(path)
        } else {
            try? Posix.unlink(path)
        }
    }

    func write(_ name: String, _ text: String) throws {
        let file = try Posix.open(path + "/" + name, [.writeOnly, .create, .truncate], mode: 0o644)
        try Posix.writeAll(file.raw, Array(text.utf8))
    }

    func read(_ name: String) throws -> String {
        String(decoding: try Posix.readFile(path + "/" + name, limit: 64 << 20), as: UTF8.self)
    }
}
