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
}

/// `STATE/jobs/<job>/<attempt>/log` stays until somebody removes the job's log; `STATE/open/<job>.<attempt>` is the
/// journal of an attempt that is not settled, so that a start looks at those and not at every job there ever was.
struct AttemptPaths {
    let directory: String
    let log: String
    let journal: String

    init(state: String, key: AttemptKey) {
        directory = "\(state)/jobs/\(key.job)/\(key.attempt)"
        log = directory + "/log"
        journal = "\(state)/open/\(key.job).\(key.attempt)"
    }
}
