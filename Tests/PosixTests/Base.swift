// The tests of Base run one after another: many of them count the descriptors of the process, or reap its children.
import Endpoints
import Files
import Posix
import Processes
import Testing

import enum Processes.ExitStatus

@Suite("Base", .serialized)
enum Base {
    /// How many descriptors the process has open.
    static func openDescriptors() throws -> Int {
        // The one that reads the directory is among them, each time.
        try Posix.directoryEntries("/proc/self/fd").count
    }

    /// The numbers of the descriptors that are open.
    static func openNumbers() throws -> [Int32] {
        try Posix.directoryEntries("/proc/self/fd").compactMap { Int32($0) }.filter { isOpen($0) }
    }

    static func isOpen(_ raw: Int32) -> Bool {
        (try? Posix.fstat(raw)) != nil
    }

    /// An empty directory, removed after `body`.
    static func withDirectory<Result>(_ body: (String) throws -> Result) throws -> Result {
        let name = try Posix.randomBytes(8).map { String($0, radix: 16) }.joined()
        let path = "/tmp/bulkhead-test-\(name)"
        try Posix.mkdir(path, mode: 0o755)
        defer { remove(path) }
        return try body(path)
    }

    private static func remove(_ path: String) {
        for name in (try? Posix.directoryEntries(path)) ?? [] {
            if (try? Posix.unlink("\(path)/\(name)")) == nil { remove("\(path)/\(name)") }
        }
        try? Posix.rmdir(path)
    }

    /// Runs `/bin/sh -c script` with the spec as `change` leaves it, and returns what it wrote and how it ended.
    static func shell(
        _ script: String, _ change: (inout ChildSpec) -> Void = { _ in }
    ) throws -> (output: String, status: ExitStatus?) {
        let ends = try Posix.pipe()
        var child = ChildSpec(executable: "/bin/sh", arguments: ["sh", "-c", script])
        child.environment = ["PATH=/usr/bin:/bin"]
        child.stdout = ends.second.raw
        change(&child)
        let pid = try Posix.spawn(child)
        let reader = ends.keepFirst()
        return (try readAll(reader.raw), Posix.wait(pid: pid))
    }

    /// Everything up to end of file, of a descriptor that blocks.
    static func readAll(_ raw: Int32) throws -> String {
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while case .bytes(let count) = try Posix.read(raw, into: &buffer) { content += buffer[..<count] }
        return String(decoding: content, as: UTF8.self)
    }
}
