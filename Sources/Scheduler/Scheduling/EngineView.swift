// What is known of the container engine, by spawnerd's word alone.

import Link
import Wire

enum EngineView {
    /// spawnerd has not said, on this connection.
    case unknown
    case answers
    /// From this moment of the monotonic clock on, and why it was at last.
    case silent(since: UInt64, Failure)

    mutating func fail(_ failure: Failure, at now: UInt64) {
        if case .silent(let since, _) = self {
            self = .silent(since: since, failure)
        } else {
            self = .silent(since: now, failure)
        }
    }

    var isSilent: Bool { if case .silent = self { true } else { false } }

    /// For people: that it is silent, for how long, and why.
    func silence(at now: UInt64) -> Failure? {
        guard case .silent(let since, let failure) = self else { return nil }
        let seconds = (now - since) / 1_000_000_000
        return Failure(failure.errorCode, "the engine has not answered for \(seconds) s: \(failure.text)")
    }
}
