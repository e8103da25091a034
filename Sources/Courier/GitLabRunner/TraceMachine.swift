// TraceMachine: how a job's log and its end come to GitLab, without any I/O: what has happened goes in, what to do next
// comes out. The log lies elsewhere; the machine says which bytes of it it wants to see.
//
// Nothing is lost and nothing is there twice whatever answers get lost: the server says how much it has (Range), a
// piece goes to exactly that place, and the end is said with the whole log's length and CRC-32. A machine that begins
// in the middle of a job, after a crash, learns all of that anew. TraceMachine+Answers: what answers mean.

package import Exchange

package struct TraceMachine: ~Copyable {
    package enum Step: Equatable {
        /// Give `feed` bytes of the log from this place on, at most so many.
        case read(offset: UInt64, count: Int)
        /// Send it, and give `take` what comes of it.
        case send(RunnerRequest)
        /// Ask again at this time, or when something has happened.
        case wait(until: UInt64)
        /// An answer or bytes are expected.
        case nothing
        case over(Over)
    }

    package enum Over: Equatable, Sendable {
        /// GitLab has the log and the end.
        case accepted
        /// The job is not ours any more: GitLab has ended it.
        case gone
        /// GitLab does not take what we say, with this status.
        case refused(status: Int)
        /// It could not be said for so long that nobody waits for it.
        case exhausted
    }

    /// What GitLab wants of the job.
    package enum Notice: Equatable, Sendable {
        /// It is to be cancelled; its last scripts may run.
        case cancel
        /// It is to end at once, and nobody wants to hear of it any more.
        case abort
    }

    package struct Limits: Sendable {
        /// Bytes of a piece: GitLab's own limit.
        package var piece = 1 << 20
        /// A 413 halves the piece, down to this.
        package var smallestPiece = 4096
        /// Milliseconds between two pieces while the job runs, until GitLab says another number.
        package var interval: UInt64 = 3_000
        /// Milliseconds after which a silent job says that it is there, and hears whether it is cancelled.
        package var keepAlive: UInt64 = 30_000
        /// Milliseconds for which the end is tried.
        package var patience: UInt64 = 3_600_000
        /// 416 without any progress in between, and 404.
        package var tries = 10
        /// 412: times that the whole log is sent again.
        package var resets = 3
        /// Of the first piece of a machine that does not know what the server has.
        package var probe = 1024

        package init() {}
    }

    enum Flight: Equatable {
        case none
        /// Bytes were asked for.
        case reading(offset: UInt64, count: Int, isPiece: Bool)
        /// They are here.
        case ready(offset: UInt64, bytes: [UInt8])
        case piece(offset: UInt64, count: Int)
        case keepAlive
        case final
    }

    let api: RunnerAPI
    package let handle: JobHandle
    let limits: Limits
    let policy: RetryPolicy
    var flight = Flight.none
    /// Bytes of the log that are there.
    var available: UInt64 = 0
    /// Bytes of it that the server has, as far as is known.
    var acknowledged: UInt64 = 0
    var checksum = LogChecksum()
    var end: (state: FinalState, at: UInt64)?
    var over: Over?
    var pieceLimit: Int
    var isProbing: Bool
    var interval: UInt64
    /// Nothing is sent before.
    var notBefore: UInt64 = 0
    /// No piece is sent before, unless it is a full one or the job has ended.
    var nextPiece: UInt64 = 0
    var lastSpoke: UInt64
    /// Failures in a row, pieces that came to nothing in a row, whole logs that were sent again.
    var (failures, misses, resets) = (0, 0, 0)
    var hasToldCancel = false

    /// - Parameters:
    ///   - isResumed: somebody may have sent a part of the log before.
    ///   - now: here and everywhere, milliseconds of a clock that only goes forward.
    package init(
        _ handle: JobHandle, by api: RunnerAPI, isResumed: Bool, now: UInt64, limits: Limits = Limits(),
        policy: RetryPolicy = RetryPolicy()
    ) {
        self.handle = handle
        self.api = api
        self.limits = limits
        // Who tries, and how often, is decided here.
        var policy = policy
        policy.attempts = .max
        self.policy = policy
        pieceLimit = limits.piece
        isProbing = isResumed
        interval = limits.interval
        lastSpoke = now
    }

    // MARK: what happens

    /// So many bytes of the log are there. Fewer than before: its end was cut, and will come again.
    package mutating func grew(to size: UInt64) {
        if end == nil { available = size }
    }

    /// The job has ended, and with it the log, which has so many bytes.
    package mutating func finish(_ end: JobEnd, logSize: UInt64, now: UInt64) {
        guard self.end == nil else { return }
        available = logSize
        self.end = (FinalState(end, listed: handle.reasons), now)
    }

    /// The bytes that `read` asked for; none if there are none at that place.
    package mutating func feed(_ bytes: [UInt8]) {
        guard case .reading(let offset, let count, let isPiece) = flight else { return }
        flight = .none
        if bytes.isEmpty {
            // A log that is shorter than was said; it ends here.
            available = min(available, offset)
            return
        }
        let bytes = Array(bytes.prefix(count))
        checksum.take(bytes, at: offset)
        if isPiece { flight = .ready(offset: offset, bytes: bytes) }
    }

    // MARK: what to do

    package mutating func next(now: UInt64) -> Step {
        if let over { return .over(over) }
        switch flight {
        case .reading, .piece, .keepAlive, .final: return .nothing
        case .ready(let offset, let bytes):
            flight = .piece(offset: offset, count: bytes.count)
            return .send(api.patchTrace(handle.id, at: offset, bytes))
        case .none: break
        }
        if let end, now >= end.at + limits.patience { return finish(.exhausted) }
        if now < notBefore { return .wait(until: notBefore) }
        if acknowledged < available { return nextPiece(now) }
        if let end { return sayEnd(end.state) }
        if now < lastSpoke + limits.keepAlive { return .wait(until: lastSpoke + limits.keepAlive) }
        flight = .keepAlive
        return .send(api.update(handle.id, .running))
    }

    private mutating func nextPiece(_ now: UInt64) -> Step {
        let left = available - acknowledged
        let limit = isProbing ? min(limits.probe, pieceLimit) : pieceLimit
        // What is full waits for nobody, and what is not waits for more.
        if end == nil && left < UInt64(limit) && now < nextPiece { return .wait(until: nextPiece) }
        // The checksum has no gap: what was sent before our time is read, too.
        if checksum.size < acknowledged { return read(checksum.size, acknowledged - checksum.size, isPiece: false) }
        return read(acknowledged, min(left, UInt64(limit)), isPiece: true)
    }

    private mutating func sayEnd(_ state: FinalState) -> Step {
        if checksum.size < available { return read(checksum.size, available - checksum.size, isPiece: false) }
        flight = .final
        return .send(api.update(handle.id, .final(state, checksum.summary)))
    }

    private mutating func read(_ offset: UInt64, _ count: UInt64, isPiece: Bool) -> Step {
        let count = Int(min(count, UInt64(limits.piece)))
        flight = .reading(offset: offset, count: count, isPiece: isPiece)
        return .read(offset: offset, count: count)
    }

    mutating func finish(_ over: Over) -> Step {
        self.over = over
        flight = .none
        return .over(over)
    }
}
