// ParcelFile: a file without a name while something comes into it.

import Files
import Link
import Posix
import RunnerErrands
import SourceArchive
import Wire

final class ParcelFile {
    private let file: FileDescriptor

    init(in state: String) throws(Failure) {
        file = try Self.system { () throws(PosixError) in try Posix.openTemporary(state) }
    }

    var raw: Int32 { file.raw }

    /// Bytes that came.
    var size: UInt64 {
        do throws(PosixError) { return UInt64(max(0, try Posix.fstat(file.raw).size)) } catch { return .max }
    }

    /// By way of /proc: it has no other name.
    func reader() throws(Failure) -> FileDescriptor {
        let raw = file.raw
        return try Self.system { () throws(PosixError) in try Posix.open("/proc/self/fd/\(raw)", .readOnly) }
    }

    /// Runs a call on files.
    static func system<Value: ~Copyable>(
        _ body: () throws(PosixError) -> Value
    ) throws(Failure) -> Value {
        do throws(PosixError) { return try body() } catch { throw Failure(ArchiveProblem.system(error)) }
    }
}

extension FileErrand.Failure {
    func failure(_ what: String) -> Failure {
        switch self {
        case .refused(status: 413):
            Failure(.tooLarge, "GitLab does not take \(what): they are too large", place: "files")
        case .refused(status: 404): Failure(.notFound, "GitLab has not got \(what) any more", place: "files")
        case .refused(let status): Failure(.forgeRefused, "GitLab answers \(status) to \(what)", place: "files")
        case .lost: Failure(.forgeUnavailable, "\(what) could not be moved from or to GitLab", place: "files")
        }
    }
}
