// A directory of a test's own, gone at its end.

import Files
import Posix

final class TemporaryDirectory {
    let path: String

    init() throws {
        path = "/tmp/bulkhead-relay-test-\(UInt64.random(in: .min ... .max))"
        try Posix.mkdir(path, mode: 0o700)
    }

    /// The names below `name`, none if it is not there.
    func entries(_ name: String) -> [String] {
        (try? Posix.directoryEntries("\(path)/\(name)")) ?? []
    }

    func bytes(_ name: String) throws -> [UInt8] {
        try Posix.readFile("\(path)/\(name)", limit: 1 << 30)
    }

    func put(_ bytes: [UInt8], _ name: String) throws {
        let file = try Posix.open("\(path)/\(name)", [.writeOnly, .create, .truncate])
        try Posix.writeAll(file.raw, bytes)
    }

    private static func remove(_ path: String) {
        for name in (try? Posix.directoryEntries(path)) ?? [] {
            let entry = "\(path)/\(name)"
            if (try? Posix.lstat(entry).kind) == .directory { remove(entry) } else { try? Posix.unlink(entry) }
        }
        try? Posix.rmdir(path)
    }

    deinit {
        Self.remove(path)
    }
}
