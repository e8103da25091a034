// Refusals: how often brokerd has refused, for its log. Whoever reaches the API can have any number of wrong tokens
// looked at: that must not fill the disk, so of these there is a line a second, with a count.

import Daemon
import Link
import Posix
import Wire

final class Refusals {
    private static let pause: UInt64 = 1_000_000_000

    private let log: Log
    /// Of the monotonic clock.
    private var silentUntil: UInt64 = 0
    private var unsaid = 0

    init(_ log: Log) { self.log = log }

    func note(_ request: String, _ failure: Failure) {
        let now = Posix.monotonicNow()
        let isAnybodys = failure.errorCode == .unauthorized
        if isAnybodys && now < silentUntil {
            unsaid += 1
            return
        }
        log.warning(
            "refused",
            [
                "request": request, "code": failure.errorCode.name, "place": failure.place, "reason": failure.text,
                "before": "\(isAnybodys ? unsaid : 0)",
            ])
        guard isAnybodys else { return }
        unsaid = 0
        silentUntil = now + Self.pause
    }
}
