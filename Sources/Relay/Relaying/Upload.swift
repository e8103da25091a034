// One upload: what apid writes into a pipe becomes a source archive. schedulerd opened it and asks for the result.

import Link
import LogStore
import Posix
import Wire

/// Reads until the writer closes its end; then it has all announced bytes or it has failed. Nothing of a failed one is
/// on disk, and nothing of a complete one before `finish` names it.
final class Upload {
    private enum State {
        case reading(IncomingSource)
        case complete(IncomingSource)
        case failed(Failure)
        case stored(Source)
    }

    /// Bytes for one read of the pipe, and reads for one turn of the loop: other peers get theirs.
    private static let slice = 64 << 10
    private static let slicesPerTurn = 8

    private let loop: PollLoop
    private var pipe: FileDescriptor?
    private let raw: Int32
    private let idle: Duration
    private let least: Int
    /// Bytes since the deadline began.
    private var arrived = 0
    private let expire: () -> Void
    private var state: State
    private var deadline: TimerID?
    private var waiting: [Responder<RelayEdge.FinishUpload.Reply>] = []
    private var buffer = [UInt8](repeating: 0, count: Upload.slice)

    /// `pipe`: the reading end. `least`: bytes that must come in each `idle`. `expire` is called once, when nothing
    /// more is to be asked of this upload.
    init(
        loop: PollLoop, pipe: consuming FileDescriptor, into source: IncomingSource, idle: Duration, least: Int,
        expire: @escaping () -> Void
    ) throws(PosixError) {
        self.loop = loop
        raw = pipe.raw
        self.pipe = consume pipe
        self.idle = idle
        self.least = least
        self.expire = expire
        state = .reading(source)
        try loop.watch(raw, .readable) { [weak self] _ in self?.readSome() }
        restartDeadline()
    }

    /// Whether bytes are still to come.
    var isOpen: Bool {
        if case .reading = state { return true }
        return false
    }

    /// Answers when the writer has closed its end. Asked again, it answers the same.
    func finish(_ responder: Responder<RelayEdge.FinishUpload.Reply>) {
        waiting.append(responder)
        answer()
    }

    private func readSome() {
        for _ in 0..<Self.slicesPerTurn {
            guard case .reading(let source) = state else { return }
            do {
                switch try Posix.read(raw, into: &buffer) {
                case .bytes(let count):
                    try source.write(buffer[..<count])
                    arrived += count
                    if arrived >= least { restartDeadline() }
                case .wouldBlock: return
                case .endOfFile: end(source.isComplete ? .complete(source) : .failed(.incompleteUpload(source)))
                }
            } catch {
                end(.failed(Failure(storing: error)))
            }
        }
    }

    /// The pipe is closed on every end, so that a writer who goes on gets EPIPE.
    private func end(_ final: State) {
        state = final
        stopReading()
        restartDeadline()
        answer()
    }

    private func answer() {
        guard !waiting.isEmpty else { return }
        if case .complete(let source) = state {
            do {
                state = .stored(try source.finish())
            } catch {
                state = .failed(Failure(storing: error))
            }
        }
        let answered = waiting
        switch state {
        case .reading, .complete: return
        case .stored(let source): for responder in answered { responder.reply(.init(source: source)) }
        case .failed(let failure): for responder in answered { responder.fail(failure) }
        }
        waiting = []
    }

    private func restartDeadline() {
        arrived = 0
        if let deadline { loop.cancel(deadline) }
        deadline = loop.after(idle) { [weak self] in self?.passDeadline() }
    }

    private func passDeadline() {
        if case .reading(let source) = state { return end(.failed(.incompleteUpload(source))) }
        expire()
    }

    private func stopReading() {
        guard pipe != nil else { return }
        loop.unwatch(raw)
        pipe = nil
    }

    deinit {
        stopReading()
        if let deadline { loop.cancel(deadline) }
    }
}
