// Where the files of one attempt lie.

package import Wire

/// An attempt without its epoch: what names it on disk.
package struct AttemptKey: Hashable, Sendable {
    package var job: UInt64
    package var attempt: UInt32

    package init(_ attempt: Attempt) {
        job = attempt.job
        self.attempt = attempt.attempt
    }

    /// From the name of a journal; nil if it is none.
    init?(journalName name: String) {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let job = UInt64(parts[0]), let attempt = UInt32(parts[1]) else { return nil }
        self.job = job
        self.attempt = attempt
    }
}

/// `STATE/jobs/<job>/<attempt>/log` stays until somebody removes the job's log, and so do `artifact-<rule>` and
/// `artifacts` beside it until somebody removes them or the log; `STATE/open/<job>.<attempt>` is the
/// journal of an attempt that is not settled, so that a start looks at those and not at every job there ever was.
struct AttemptPaths {
    /// `STATE/jobs`, the job's directory in it, the attempt's in that: the log is there if all three say so.
    let directories: [String]
    let directory: String
    let log: String
    /// Which rules have left what, once the attempt is settled.
    let artifacts: String
    let journals: String
    let journal: String

    init(state: String, key: AttemptKey) {
        directory = "\(state)/jobs/\(key.job)/\(key.attempt)"
        directories = [directory, "\(state)/jobs/\(key.job)", "\(state)/jobs"]
        log = directory + "/log"
        artifacts = directory + "/artifacts"
        journals = "\(state)/open"
        journal = "\(state)/open/\(key.job).\(key.attempt)"
    }

    /// What every name begins with that is gone with a job's artifacts.
    static let artifactPrefix = "artifact"

    /// The archive of one artifact rule.
    func artifact(_ rule: UInt16) -> String { directory + "/artifact-\(rule)" }
}
