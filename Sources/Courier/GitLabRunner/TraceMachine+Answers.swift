// What GitLab's answers mean for a log. None of them can make us send for ever: pieces without progress, whole logs
// sent again and failures at the end are counted.

package import Exchange

extension TraceMachine {
    /// What came of the request that was sent.
    /// - Parameters:
    ///   - wall: seconds since 1970.
    ///   - jitter: a random number.
    package mutating func take(
        _ outcome: RetryPolicy.Outcome, now: UInt64, wall: UInt64, jitter: UInt32
    ) -> Notice? {
        let flight = flight
        switch flight {
        case .none, .reading, .ready: return nil
        case .piece, .keepAlive, .final: self.flight = .none
        }
        guard case .answer(let answer) = outcome else {
            wait(outcome, now, wall, jitter)
            return nil
        }
        let said = JobAnswer(answer)
        if let interval = said.interval { self.interval = UInt64(interval / .milliseconds(1)) }
        switch (answer.status, flight) {
        case (202, .piece(let offset, let count)) where said.status != nil:
            return took(said, upTo: offset + UInt64(count), from: offset, now)
        case (200, .final) where said.status != nil:
            _ = finish(.accepted)
            return nil
        // It is kept, and not in its place yet.
        case (202, .final) where said.status != nil:
            heard(now)
            notBefore = now + interval
            return said.status == .canceling ? cancel() : nil
        case (200, .keepAlive) where said.status != nil, (202, .keepAlive) where said.status != nil:
            heard(now)
            return obey(said)
        case (416, .piece(let offset, _)): return resume(said, from: offset, now, jitter)
        case (412, .final): return sendAgain()
        case (413, .piece): return shorten()
        case (401, _), (403, _): return forbidden(outcome, said, flight, now, wall, jitter)
        case (404, _), (410, _): return missing(outcome, now, wall, jitter)
        case (400..<500, _) where answer.status != 408 && answer.status != 429:
            return refuse(answer.status)
        default:
            wait(outcome, now, wall, jitter)
            return nil
        }
    }

    // MARK: good answers

    private mutating func heard(_ now: UInt64) {
        lastSpoke = now
        failures = 0
    }

    private mutating func took(_ said: JobAnswer, upTo sent: UInt64, from offset: UInt64, _ now: UInt64) -> Notice? {
        heard(now)
        isProbing = false
        // Where it says less than we sent, it has less.
        acknowledged = min(sent, said.received ?? sent)
        nextPiece = now + interval
        if acknowledged > offset {
            misses = 0
        } else {
            misses += 1
            if misses > limits.tries { return refuse(202) }
            notBefore = now + interval
        }
        return obey(said)
    }

    private mutating func obey(_ said: JobAnswer) -> Notice? {
        switch said.status {
        case nil, .running: return nil
        case .canceling: return cancel()
        case .over: return abort(.gone)
        }
    }

    private mutating func cancel() -> Notice? {
        if hasToldCancel || end != nil { return nil }
        hasToldCancel = true
        return .cancel
    }

    private mutating func abort(_ over: Over) -> Notice? {
        _ = finish(over)
        return end == nil ? .abort : nil
    }

    // MARK: answers that say where to go on

    /// The server has more or less than we thought.
    private mutating func resume(_ said: JobAnswer, from offset: UInt64, _ now: UInt64, _ jitter: UInt32) -> Notice? {
        heard(now)
        isProbing = false
        let isProgress = said.received.map { $0 > offset && $0 <= available } ?? false
        misses = isProgress ? 0 : misses + 1
        if misses > limits.tries { return refuse(416) }
        if let received = said.received { acknowledged = received }
        if !isProgress { notBefore = now + interval / 4 + UInt64(jitter % 256) }
        return obey(said)
    }

    /// What it has is not what we have: all of it again.
    private mutating func sendAgain() -> Notice? {
        resets += 1
        if resets > limits.resets { return refuse(412) }
        acknowledged = 0
        return nil
    }

    private mutating func shorten() -> Notice? {
        guard pieceLimit / 2 >= limits.smallestPiece else { return refuse(413) }
        pieceLimit /= 2
        return nil
    }

    // MARK: answers that end it, or nothing

    private mutating func refuse(_ status: Int) -> Notice? { abort(.refused(status: status)) }

    private mutating func forbidden(
        _ outcome: RetryPolicy.Outcome, _ said: JobAnswer, _ flight: Flight, _ now: UInt64, _ wall: UInt64,
        _ jitter: UInt32
    ) -> Notice? {
        // Some say "too much" with this status.
        if case .again = policy.decide(outcome, to: sample, attempt: failures + 1, now: wall, jitter: jitter) {
            wait(outcome, now, wall, jitter)
            return nil
        }
        // It is over as we say: the end was heard, and the answer was lost, perhaps where nobody of us saw it.
        if case .over(let how) = said.status, let end, how == .canceled || how == end.state.word {
            return abort(.accepted)
        }
        return abort(.gone)
    }

    /// Anything on the way can say so while something is being restarted.
    private mutating func missing(
        _ outcome: RetryPolicy.Outcome, _ now: UInt64, _ wall: UInt64, _ jitter: UInt32
    ) -> Notice? {
        misses += 1
        if misses > limits.tries { return abort(.gone) }
        wait(outcome, now, wall, jitter)
        return nil
    }

    private mutating func wait(_ outcome: RetryPolicy.Outcome, _ now: UInt64, _ wall: UInt64, _ jitter: UInt32) {
        failures += 1
        lastSpoke = now
        for attempt in [outcome, .none(wasSent: false)] {
            guard
                case .again(let wait) = policy.decide(
                    attempt, to: sample, attempt: failures, now: wall, jitter: jitter)
            else { continue }
            notBefore = now + UInt64(wait / .milliseconds(1))
            return
        }
    }

    /// All of our requests may be sent again; that is what the policy wants to know of one.
    private var sample: ExchangeRequest { ExchangeRequest(.put, api.origin, RequestTarget("/"), credential: nil) }
}

extension FinalState {
    fileprivate var word: JobAnswer.Over { isSuccess ? .success : .failed }
}
