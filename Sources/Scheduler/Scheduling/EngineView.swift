// What is known of the container engine, by spawnerd's word alone.

import Link
import Posix
import Wire

enum EngineView {
    /// spawnerd has not said, on this connection.
    case unknown
    case answers
    /// From this moment of the monotonic clock on, and why it was at last.
    case silent(since: UInt64, Failure)

    mutating func fail(_ failure: Failure) {
        if case .silent(let since, _) = self {
            self = .silent(since: since, failure)
        } else {
            self = .silent(since: Posix.monotonicNow(), failure)
        }
    }

    /// For people: that it is silent, for how long, and why.
    var silence: Failure? {
        guard case .silent(let since, let failure) = self else { return nil }
        let seconds = (Posix.monotonicNow() - since) / 1_000_000_000
        return Failure(failure.errorCode, "the engine has not answered for \(seconds) s: \(failure.text)")
    }
}
