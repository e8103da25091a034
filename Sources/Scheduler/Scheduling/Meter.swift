// What schedulerd counts since its start. Everything else that metrics tell is looked up when somebody asks
// (Scheduler+Metrics).

import Exposition
import Link
import Wire

/// Lives on the loop's thread.
struct Meter {
    private(set) var engineErrors: [String: UInt64] = [:]
    private(set) var attempts: UInt64 = 0
    private(set) var retries: UInt64 = 0
    private(set) var coldStarts = Histogram()
    private(set) var warmStarts = Histogram()
    private(set) var dispatch = Histogram()
    /// Lines of the queue that were looked at, to serve them or to say why others wait.
    private(set) var lines: UInt64 = 0
    /// Jobs that were given a runner which waited, and of which no runner has been told yet.
    private var warm: Set<UInt64> = []

    mutating func countEngineError(_ failure: Failure) { engineErrors[failure.errorCode.name, default: 0] += 1 }

    mutating func countDispatch(_ duration: Duration) { dispatch.observe(duration) }

    mutating func countLines(_ count: Int) { lines += UInt64(count) }

    mutating func countRetry() { retries += 1 }

    /// A job is given a runner: one that waited, or a new one.
    mutating func countAttempt(_ job: UInt64, isWarm: Bool) {
        attempts += 1
        if isWarm { warm.insert(job) }
    }

    /// Its runner is told of the job, for the first time.
    mutating func told(_ job: UInt64, after wait: Duration) {
        if warm.remove(job) != nil { warmStarts.observe(wait) } else { coldStarts.observe(wait) }
    }

    mutating func forget(_ job: UInt64) { warm.remove(job) }
}
