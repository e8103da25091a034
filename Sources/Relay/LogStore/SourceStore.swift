// Source archives, each named by the SHA-256 of its bytes. Uploads fill it, RunJob reads from it.

import Files
package import Posix
package import Wire

package final class SourceStore {
    private let directory: String

    /// Makes `STATE/sources` where it is missing.
    package init(state: String) throws(StoreError) {
        directory = state + "/sources"
        try stored { () throws(PosixError) in try Posix.mkdir(directory, mode: 0o700, existing: true) }
    }

    /// Begins an archive of `size` bytes. Until `finish` it is a file without a name: whatever happens to this process
    /// or to the writer, nothing of a half archive is left.
    package func begin(size: UInt64) throws(StoreError) -> IncomingSource {
        let file = try stored { () throws(PosixError) in try Posix.openTemporary(directory) }
        return IncomingSource(directory: directory, file: file, size: size)
    }

    /// Opens an archive for reading; `.notFound` as well if its size is not `source.size`.
    package func open(_ source: Source) throws(StoreError) -> FileDescriptor {
        let file = try stored { () throws(PosixError) in try Posix.open(path(source.sha256), .readOnly) }
        let size = try stored { () throws(PosixError) in try Posix.fstat(file.raw).size }
        guard UInt64(size) == source.size else { throw .notFound }
        return file
    }

    /// An archive that is not there is as good as removed.
    package func remove(_ sha256: Bytes32) throws(StoreError) {
        do throws(StoreError) {
            try stored { () throws(PosixError) in try Posix.unlink(path(sha256)) }
        } catch {
            guard error == .notFound else { throw error }
        }
    }

    private func path(_ sha256: Bytes32) -> String { "\(directory)/\(sha256.hex)" }
}
