// RetryPolicy: when to ask again. One rule for all forges, from what they say in their headers; whoever waits, waits
// elsewhere. A hostile server can make us wait an hour, not longer and not sooner than we would by ourselves.

package struct RetryPolicy: Sendable {
    package enum Decision: Equatable, Sendable {
        /// The answer is what it is: good, or not to be mended by asking again.
        case final
        case again(after: Duration)
        /// It was tried often enough.
        case giveUp
    }

    /// What came of a request.
    package enum Outcome: Sendable {
        case answer(ExchangeAnswer)
        /// None, or half of one. `wasSent`: the server may have done what was asked.
        case none(wasSent: Bool)
    }

    /// Requests in all, the first one included.
    package var attempts = 8
    package var first = Duration.seconds(1)
    package var longest = Duration.seconds(300)
    /// The most that a server's word makes us wait: GitHub's limits begin anew each hour.
    package var longestAsked = Duration.seconds(3660)

    package init() {}

    /// - Parameters:
    ///   - attempt: how many requests were sent, from 1.
    ///   - now: seconds since 1970.
    ///   - jitter: a random number; the wait is between one and one and a half times what it would be, so that who was
    ///     refused together does not come back together.
    package func decide(
        _ outcome: Outcome, to request: ExchangeRequest, attempt: Int, now: UInt64, jitter: UInt32
    ) -> Decision {
        let asked: Duration?
        switch outcome {
        case .none(let wasSent):
            if wasSent && !request.isRepeatable { return .final }
            asked = nil
        case .answer(let answer):
            guard Self.isToBeRepeated(answer, request) else { return .final }
            asked = Self.asked(answer, now: now)
        }
        guard attempt < attempts else { return .giveUp }
        var wait = min(first * (1 << min(max(attempt - 1, 0), 20)), longest)
        if let asked { wait = max(wait, min(asked, longestAsked)) }
        return .again(after: wait + wait / 2 * Int(jitter % 1024) / 1024)
    }

    private static func isToBeRepeated(_ answer: ExchangeAnswer, _ request: ExchangeRequest) -> Bool {
        switch answer.status {
        case 429: true
        case 403: isLimit(answer)
        // The server says that it has not done it.
        case 503: true
        // It may have done it.
        case 408, 500, 502, 504: request.isRepeatable
        default: false
        }
    }

    /// GitHub says 403 as well when there was too much; the headers tell it from "you may not".
    private static func isLimit(_ answer: ExchangeAnswer) -> Bool {
        if answer.header("retry-after") != nil || answer.number("x-ratelimit-remaining") == 0 { return true }
        // The secondary limits' text; a 403 of another kind that has it costs some waiting.
        return answer.body.count <= 65_536 && Self.contains(answer.body, "secondary rate limit")
    }

    /// How long the server wants us to wait; nil if it does not say.
    private static func asked(_ answer: ExchangeAnswer, now: UInt64) -> Duration? {
        if let seconds = answer.number("retry-after") { return .seconds(Int64(seconds)) }
        if let date = answer.header("retry-after").flatMap(HTTPDate.seconds) { return until(date, now) }
        if answer.number("x-ratelimit-remaining") == 0, let reset = answer.number("x-ratelimit-reset") {
            return until(reset, now)
        }
        if answer.number("ratelimit-remaining") == 0, let reset = answer.number("ratelimit-reset") {
            // GitLab means a time, the IETF's draft a number of seconds; no time since 2001 is below this.
            return reset > 1_000_000_000 ? until(reset, now) : .seconds(Int64(reset))
        }
        // GitHub's secondary limits without a header: "wait for at least one minute".
        return answer.status == 403 || answer.status == 429 ? .seconds(60) : nil
    }

    private static func until(_ time: UInt64, _ now: UInt64) -> Duration {
        // Its clock and ours may differ by a second.
        .seconds(time > now ? Int64(time - now) + 1 : 1)
    }

    private static func contains(_ body: [UInt8], _ words: StaticString) -> Bool {
        let wanted = Array(words.description.utf8)
        guard body.count >= wanted.count else { return false }
        return (0...(body.count - wanted.count)).contains { body[$0...].starts(with: wanted) }
    }
}
