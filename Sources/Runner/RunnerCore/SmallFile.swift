// Reads and writes the kernel's one-line files.

import Glibc

enum SmallFile {
    /// The first 4095 bytes of a file; nil if there is none to read.
    static func read(_ path: String) -> String? {
        let fd = open(path, O_RDONLY | O_CLOEXEC)
        guard fd >= 0 else { return nil }
        defer { close(fd) }
        return read(fd)
    }

    /// All of a file, where it may be longer.
    static func readAll(_ path: String) -> String? {
        let fd = open(path, O_RDONLY | O_CLOEXEC)
        guard fd >= 0 else { return nil }
        defer { close(fd) }
        var all: [UInt8] = []
        var bytes = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(fd, &bytes, bytes.count)
            if count < 0 { return nil }
            if count == 0 { return String(decoding: all, as: UTF8.self) }
            all += bytes[..<count]
        }
    }

    static func read(_ fd: Int32) -> String? {
        var bytes = [UInt8](repeating: 0, count: 4095)
        let count = pread(fd, &bytes, bytes.count, 0)
        return count < 0 ? nil : String(decoding: bytes.prefix(count), as: UTF8.self)
    }

    /// - Returns: whether the kernel took it.
    static func write(_ fd: Int32, _ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return pwrite(fd, bytes, bytes.count, 0) == bytes.count
    }
}
