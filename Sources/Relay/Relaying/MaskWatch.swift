// Asks brokerd what must not be read in the log of one attempt, for as long as the attempt lives.

import Link
import Posix
import Wire

/// Keeps one WatchMasks open. brokerd may be gone, or not know the attempt yet (after its restart: until schedulerd has
/// told it again), so every end is followed by another try.
final class MaskWatch {
    private static let shortestPause = Duration.milliseconds(10)
    private static let longestPause = Duration.seconds(1)

    private let loop: PollLoop
    private let client: LinkClient<MaskEdge>
    private let attempt: Attempt
    private let take: (consuming FileDescriptor) throws -> Void
    private let failed: (Failure) -> Void

    private var stream: StreamHandle?
    private var timer: TimerID?
    private var pause = MaskWatch.shortestPause
    private var lastReason = ""

    /// `take` is given each file and throws if it is not what it should be; `failed` is told why nothing comes, when
    /// the reason is another one than before.
    init(
        loop: PollLoop, client: LinkClient<MaskEdge>, attempt: Attempt,
        take: @escaping (consuming FileDescriptor) throws -> Void, failed: @escaping (Failure) -> Void
    ) {
        self.loop = loop
        self.client = client
        self.attempt = attempt
        self.take = take
        self.failed = failed
    }

    func start() {
        timer = nil
        stream = client.open(MaskEdge.WatchMasks(attempt: attempt)) { [weak self] _, fds in
            self?.arrived(fds)
        } onEnd: { [weak self] failure in
            self?.ended(failure ?? Failure(.disconnected, "brokerd has ended the stream"))
        }
    }

    /// Does not wait any longer: the link to brokerd is up again.
    func retry() {
        guard let timer else { return }
        loop.cancel(timer)
        pause = Self.shortestPause
        start()
    }

    /// Nothing is reported after this.
    func stop() {
        stream?.abandon()
        stream = nil
        if let timer { loop.cancel(timer) }
        timer = nil
    }

    private func arrived(_ fds: consuming FDBundle) {
        var fds = fds
        guard let file = fds.takeFirst() else { return }
        do {
            try take(file)
            pause = Self.shortestPause
            lastReason = ""
        } catch {
            stop()
            ended(Failure(.malformed, "what brokerd sent cannot be taken: \(error)"))
        }
    }

    private func ended(_ failure: Failure) {
        stream = nil
        let isNew = failure.text != lastReason
        lastReason = failure.text
        // First the timer: whoever hears of it may stop this.
        defer { if isNew { failed(failure) } }
        timer = loop.after(pause) { [weak self] in self?.start() }
        pause = min(pause * 2, Self.longestPause)
    }
}
