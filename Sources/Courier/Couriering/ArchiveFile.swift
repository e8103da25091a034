// ArchiveFile: where a source archive lies while it comes, and until relayd has it: in a file without a name, which is
// gone with its last descriptor, whoever dies.

import Exchange
import Files
import Posix
import SourceArchive

final class ArchiveFile {
    private let state: String
    private let limits: ArchiveLimits
    private var file: FileDescriptor?
    private var sink: ArchiveSink?
    /// Why there is none.
    private(set) var problem: ArchiveProblem?

    init(in state: String, limits: ArchiveLimits) {
        self.state = state
        self.limits = limits
    }

    /// An attempt, from the start. What an earlier one left is gone.
    func begin() -> any BodySink {
        do throws(ArchiveProblem) {
            let file = try Self.system { () throws(PosixError) in try Posix.openTemporary(state) }
            let sink = try ArchiveSink(into: file.raw, limits: limits)
            (self.sink, problem) = (sink, nil)
            self.file = consume file
            return Watched(sink, self)
        } catch {
            problem = error
            return Closed()
        }
    }

    /// The whole archive.
    func finish() throws(ArchiveProblem) -> NormalArchive {
        guard let sink else { throw problem ?? .cutShort }
        return try sink.finish()
    }

    /// As long as this object lives.
    func descriptor() throws(ArchiveProblem) -> Int32 {
        guard let raw = file?.raw else { throw .cutShort }
        return raw
    }

    /// The file once more, for reading only. By way of /proc: it has no other name.
    func reader() throws(ArchiveProblem) -> FileDescriptor {
        guard let raw = file?.raw else { throw .cutShort }
        return try Self.system { () throws(PosixError) in try Posix.open("/proc/self/fd/\(raw)", .readOnly) }
    }

    private static func system<Value: ~Copyable>(
        _ body: () throws(PosixError) -> Value
    ) throws(ArchiveProblem) -> Value {
        do throws(PosixError) { return try body() } catch { throw .system(error) }
    }

    /// Keeps the reason for who asks afterwards.
    private final class Watched: BodySink {
        private let sink: ArchiveSink
        private weak var file: ArchiveFile?

        init(_ sink: ArchiveSink, _ file: ArchiveFile) { (self.sink, self.file) = (sink, file) }

        func take(_ piece: ArraySlice<UInt8>) -> Bool {
            if sink.take(piece) { return true }
            file?.problem = sink.problem
            return false
        }
    }

    private final class Closed: BodySink {
        func take(_ piece: ArraySlice<UInt8>) -> Bool { false }
    }
}
