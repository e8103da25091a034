// The names in a directory, as they come: never all of them in memory, since who made them is hostile.

import CLinux
import Posix

final class DirectoryNames {
    private let directory: FileDescriptor
    private var buffer = [UInt8](repeating: 0, count: 16_384)
    private var rest: ArraySlice<UInt8> = []

    /// - Parameter directory: freshly opened, for nobody else.
    init(_ directory: consuming FileDescriptor) {
        self.directory = directory
    }

    var raw: Int32 { directory.raw }

    /// The next name; nil: there is none.
    func next() throws(PosixError) -> [UInt8]? {
        while true {
            if rest.isEmpty {
                let filled = bh_directory_entries(directory.raw, &buffer, buffer.count)
                guard filled >= 0 else { throw .system(call: "getdents64", errno: -filled) }
                if filled == 0 { return nil }
                rest = buffer[..<Int(filled)]
            }
            // {inode u64, offset u64, length u16, kind u8, name with a NUL}, in the machine's byte order.
            let length = rest.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 16, as: UInt16.self) }
            let name = Array(rest.prefix(Int(length)).dropFirst(19).prefix { $0 != 0 })
            rest = rest.dropFirst(Int(length))
            if name != Array(".".utf8) && name != Array("..".utf8) { return name }
        }
    }
}
