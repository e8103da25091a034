// Takes the source archive as PutSource brings it and unpacks it at once: it is never stored whole, so the job's
// directory needs room for the files only. Who brought it may have been taken over: the job's definition says the size
// and the SHA-256 of all its bytes, and a source that is another ends the job before anything of it is executed.

import Posix
import Tar
import Wire

/// The source of one job on its way in.
struct SourceReceiver {
    enum Progress: Equatable {
        case more
        case complete(files: UInt32)
        case failed(String)
    }

    /// Bytes that have arrived.
    private(set) var received: UInt64 = 0
    private let source: Source
    private var digest = Digest()
    /// Nil once it is complete or has failed; then whatever else comes is counted and dropped.
    private var reader: TarReader<DirectorySink>?

    /// - Parameter directory: an open, empty directory.
    init(_ source: Source, into directory: consuming FileDescriptor) {
        self.source = source
        var limits = TarLimits()
        limits.fileSize = source.size
        reader = TarReader(into: DirectorySink(root: directory), limits: limits)
    }

    /// For a job that has failed before its source came: relayd need not know yet.
    init(dropping source: Source) {
        self.source = source
    }

    /// The job has ended: what still comes is nobody's.
    mutating func drop() { reader = nil }

    /// Takes the next bytes. More than was announced is the caller's to refuse.
    mutating func take(_ bytes: [UInt8]) -> Progress {
        received += UInt64(bytes.count)
        digest.update(bytes[...])
        return read(bytes[...])
    }

    /// A source of no bytes is complete, and bad, before anything arrives.
    mutating func begin() -> Progress { read([]) }

    func hasRoom(for count: Int) -> Bool { UInt64(count) <= source.size - received }

    private mutating func read(_ bytes: ArraySlice<UInt8>) -> Progress {
        guard reader != nil else { return .more }
        do {
            try reader?.consume(bytes)
            guard received == source.size else { return .more }
            try reader?.finish()
        } catch {
            reader = nil
            return .failed(error.description)
        }
        let hash = digest.finish()
        guard hash == source.sha256 else {
            reader = nil
            return .failed("source archive: its SHA-256 is \(hash.hex), the job's is \(source.sha256.hex)")
        }
        let files = UInt32(clamping: reader?.entries ?? 0)
        reader = nil
        return .complete(files: files)
    }
}
