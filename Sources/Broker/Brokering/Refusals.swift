// Refusals: how often brokerd has refused, for its log. Whoever reaches the API can have any number of wrong tokens
// looked at: that must not fill the disk, so of these there is a line a second for each project that they name, with a
// count. A storm at one hides no other's: `bulkhead doctor` looks for a project's own.

import Daemon
import Link
import Posix
import Wire

final class Refusals {
    private static let pause: UInt64 = 1_000_000_000
    /// Lines in one pause: whoever knows the names of many projects gets no more.
    private static let linesAtMost = 16

    private let log: Log
    /// Until when, on the monotonic clock, by what stands before the colon.
    private var silentUntil: [Substring: UInt64] = [:]
    private var unsaid = 0

    init(_ log: Log) { self.log = log }

    func note(_ request: String, _ failure: Failure) {
        let isAnybodys = failure.errorCode == .unauthorized
        if isAnybodys {
            let (now, subject) = (Posix.monotonicNow(), failure.text.prefix { $0 != ":" })
            silentUntil = silentUntil.filter { now < $0.value }
            if silentUntil[subject] != nil || silentUntil.count >= Self.linesAtMost {
                unsaid += 1
                return
            }
            silentUntil[subject] = now + Self.pause
        }
        log.warning(
            "refused",
            [
                "request": request, "code": failure.errorCode.name, "place": failure.place, "reason": failure.text,
                "before": "\(isAnybodys ? unsaid : 0)",
            ])
        if isAnybodys { unsaid = 0 }
    }
}
