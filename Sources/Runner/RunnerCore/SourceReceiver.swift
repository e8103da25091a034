// Takes the source archive as PutSource brings it and unpacks it at once: it is never stored whole, so the job's
// directory needs room for the files only. What it holds was named by its SHA-256 in relayd; here only the number of
// bytes and the archive's shape count.

import Posix
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
    private let size: UInt64
    /// Nil once it is complete or has failed; then whatever else comes is counted and dropped.
    private var reader: TarReader<DirectorySink>?

    /// - Parameter directory: an open, empty directory.
    init(_ source: Source, into directory: consuming FileDescriptor) {
        size = source.size
        var limits = TarLimits()
        limits.fileSize = source.size
        reader = TarReader(into: DirectorySink(root: directory), limits: limits)
    }

    /// Takes the next bytes. More than was announced is the caller's to refuse.
    mutating func take(_ bytes: [UInt8]) -> Progress {
        received += UInt64(bytes.count)
        return read(bytes[...])
    }

    /// A source of no bytes is complete, and bad, before anything arrives.
    mutating func begin() -> Progress { read([]) }

    func hasRoom(for count: Int) -> Bool { UInt64(count) <= size - received }

    private mutating func read(_ bytes: ArraySlice<UInt8>) -> Progress {
        guard reader != nil else { return .more }
        do {
            try reader?.consume(bytes)
            guard received == size else { return .more }
            try reader?.finish()
        } catch {
            reader = nil
            return .failed(error.description)
        }
        let files = UInt32(clamping: reader?.entries ?? 0)
        reader = nil
        return .complete(files: files)
    }
}
