// Forgetting: the logs of a job that schedulerd keeps no longer, and with them what else lies there.

import Files
import Posix

extension LogStore {
    /// Names that one call removes: what is more is for the next call, so that nobody's stream waits for long. A job
    /// has two for each attempt and some for the files that it leaves, and its attempts are few.
    package static let removalLimit = 64

    /// Removes the logs of all attempts of a job; `.conflict` while one of them is not settled, `.unfinished` when
    /// there is more than one call removes. What is not there is as good as removed. What a link points to stays, and
    /// a directory that is none of ours stays and is an error.
    package func remove(job: UInt64) throws(StoreError) {
        guard !attempts.keys.contains(where: { $0.job == job }) else {
            throw .conflict("an attempt of this job is not settled")
        }
        let jobs = try stored { () throws(PosixError) in
            try Posix.open(jobsPath, [.readOnly, .directory, .noFollow])
        }
        var left = Self.removalLimit
        let isGone = try stored { () throws(PosixError) in
            try Self.remove("\(job)", in: jobs.raw, depth: 2, left: &left)
        }
        guard isGone else { throw .unfinished }
        try disk.sync(jobs.raw)
    }

    /// Removes a name and, `depth` directories deep, what is in it. False: more is left than may be removed now.
    private static func remove(
        _ name: String, in parent: Int32, depth: Int, left: inout Int
    ) throws(PosixError) -> Bool {
        let directory = depth > 0 ? try directory(name, in: parent) : nil
        let isDirectory = directory != nil
        if let directory {
            for entry in try Posix.directoryEntries(of: directory.raw, limit: left + 1) {
                guard try remove(entry, in: directory.raw, depth: depth - 1, left: &left) else { return false }
            }
        }
        guard left > 0 else { return false }
        left -= 1
        try forgiving { () throws(PosixError) in
            if isDirectory { try Posix.rmdir(name, at: parent) } else { try Posix.unlink(name, at: parent) }
        }
        return true
    }

    /// nil: it is no directory, but a file or a link, or it is not there.
    static func directory(_ name: String, in parent: Int32) throws(PosixError) -> FileDescriptor? {
        do {
            return try Posix.open(at: parent, name, [.readOnly, .directory, .noFollow])
        } catch {
            if error.isMissing || error.isNoDirectory { return nil }
            throw error
        }
    }

    static func forgiving(_ body: () throws(PosixError) -> Void) throws(PosixError) {
        do {
            try body()
        } catch {
            guard error.isMissing else { throw error }
        }
    }
}
