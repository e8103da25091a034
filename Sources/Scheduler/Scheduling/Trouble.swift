// Something that does not work at present: brokerd's releases or preparations, the runners of a pool, a device. Who
// asks again and again would only keep it busy.

import Wire

/// Why, and for how long nobody asks again.
struct Trouble {
    private(set) var failure: Failure?
    private(set) var isPaused = false
    private var backoff: Backoff

    /// `longest`: of its pauses, where that is not what is usual.
    init(longest: Duration? = nil, _ settings: SchedulerSettings) {
        backoff = Backoff(settings, longest: longest)
    }

    /// How long to wait before the next try; nil if somebody waits already.
    mutating func begin(_ failure: Failure) -> Duration? {
        self.failure = failure
        if isPaused { return nil }
        isPaused = true
        return backoff.pause()
    }

    /// The pause is over. Whether the trouble is, the next try tells.
    mutating func tryAgain() { isPaused = false }

    /// It works.
    mutating func end() {
        failure = nil
        isPaused = false
        backoff.reset()
    }
}
