// One source archive on its way in.

import Crypto
import Files
import Posix
package import Wire

/// Bytes are hashed as they are written. Dropping it without `finish` leaves nothing on disk.
package final class IncomingSource {
    package let size: UInt64
    package private(set) var received: UInt64 = 0
    private let directory: String
    private let file: FileDescriptor
    private var hash = SHA256()

    init(directory: String, file: consuming FileDescriptor, size: UInt64) {
        self.directory = directory
        self.file = file
        self.size = size
    }

    package var isComplete: Bool { received == size }

    /// Adds the next bytes; `.tooLarge` beyond the announced size.
    package func write(_ bytes: ArraySlice<UInt8>) throws(StoreError) {
        guard UInt64(bytes.count) <= size - received else { throw .tooLarge }
        let position = Int64(received)
        try stored { () throws(PosixError) in try Posix.pwriteAll(file.raw, bytes, at: position) }
        bytes.withUnsafeBytes { hash.update(bufferPointer: $0) }
        received += UInt64(bytes.count)
    }

    /// Gives the archive its name. The same archive uploaded twice is one file.
    package func finish() throws(StoreError) -> Source {
        guard isComplete else { throw .incomplete }
        guard let sha256 = Bytes32(bytes: Array(hash.finalize())) else { throw .conflict("no digest") }
        do throws(StoreError) {
            try stored { () throws(PosixError) in
                try Posix.linkTemporary(file.raw, to: "\(directory)/\(sha256.hex)")
            }
        } catch {
            guard error == .exists else { throw error }
        }
        return Source(sha256: sha256, size: size)
    }
}
