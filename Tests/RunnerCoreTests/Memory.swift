// Looks for bytes in the memory of another process, as root on the host could.

import Files
import Posix

enum Memory {
    /// How often the text occurs in the writable memory of a process.
    static func count(of text: String, bytes: [UInt8]? = nil, in pid: Int32) throws -> Int {
        let wanted = bytes ?? Array(text.utf8)
        let maps = String(decoding: try Posix.readFile("/proc/\(pid)/maps", limit: 4 << 20), as: UTF8.self)
        let memory = try Posix.open("/proc/\(pid)/mem", .readOnly)
        var found = 0
        for line in maps.split(separator: "\n") {
            let fields = line.split(separator: " ")
            let ends = fields[0].split(separator: "-").compactMap { Int($0, radix: 16) }
            guard fields[1].hasPrefix("rw"), ends.count == 2, !line.hasSuffix("[vvar]") else { continue }
            // A large reservation is address space of the allocator's, hardly touched.
            guard ends[1] - ends[0] <= 256 << 20 else { continue }
            guard let part = try? Posix.pread(memory.raw, maximum: ends[1] - ends[0], at: Int64(ends[0])) else {
                continue
            }
            found += count(of: wanted, in: part)
        }
        return found
    }

    private static func count(of wanted: [UInt8], in part: [UInt8]) -> Int {
        guard part.count >= wanted.count else { return 0 }
        var found = 0
        part.withUnsafeBufferPointer { bytes in
            for start in 0...(bytes.count - wanted.count) where bytes[start] == wanted[0] {
                if wanted.indices.allSatisfy({ bytes[start + $0] == wanted[$0] }) { found += 1 }
            }
        }
        return found
    }
}
