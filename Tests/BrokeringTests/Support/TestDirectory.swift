// A directory of one test, removed with everything in it.

import Files
import Posix

/// What went wrong in a test's own machinery.
struct HarnessError: Error, CustomStringConvertible {
    let description: String
}

/// On a tmpfs where there is one, as the grants are.
final class TestDirectory {
    let path: String

    init() throws {
        let isMemory = (try? Posix.lstat("/dev/shm").kind) == .directory
        let name = (try Posix.randomBytes(8)).map { String($0, radix: 36) }.joined()
        path = "\(isMemory ? "/dev/shm" : "/tmp")/bulkhead-broker-\(name)"
        try Posix.mkdir(path, mode: 0o700)
    }

    deinit {
        // A test's rubbish is nobody's failure.
        try? Self.remove(path)
    }

    func read(_ name: String) throws -> [UInt8] {
        try Posix.readFile("\(path)/\(name)", limit: 1 << 26)
    }

    func text(_ name: String) throws -> String {
        String(decoding: try read(name), as: UTF8.self)
    }

    func write(_ name: String, _ bytes: [UInt8], mode: UInt32 = 0o600) throws {
        try Posix.replaceFile("\(path)/\(name)", with: bytes, mode: mode)
    }

    /// The names of all files below `name`, directories left out.
    func files(below name: String) throws -> [String] {
        var found: [String] = []
        for entry in try Posix.directoryEntries("\(path)/\(name)") {
            let place = "\(name)/\(entry)"
            let isDirectory = try Posix.lstat("\(path)/\(place)").kind == .directory
            found += isDirectory ? try files(below: place) : [place]
        }
        return found
    }

    private static func remove(_ path: String) throws {
        for entry in try Posix.directoryEntries(path) {
            let place = "\(path)/\(entry)"
            if try Posix.lstat(place).kind == .directory { try remove(place) } else { try Posix.unlink(place) }
        }
        try Posix.rmdir(path)
    }
}
