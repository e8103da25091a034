// The byte stream to a runner, under the frames: the engine's attach connection, as spawnerd handed it over.
//
// First the two ends find each other (SyncPreamble): relayd may have died in the middle of a frame, and what the
// container said while nobody listened is gone. Then it is the transport of a Connection<RunnerEdge>.

import Link
import Posix
import Wire

final class RunnerTransport: ByteTransport {
    private enum State {
        case idle
        case synchronizing(synced: () -> Void, failed: (Failure) -> Void)
        case synced
        case closed
    }

    private static let bufferSize = 64 << 10

    private let loop: PollLoop
    private let raw: Int32
    private let runner: Bytes16
    private var socket: FileDescriptor?
    private let limits: RelayLimits
    private var state = State.idle
    private var demultiplexer: Demultiplexer
    private var diagnostics: Diagnostics
    /// Looks for the runner's answer: everything before it is the rest of an older connection.
    private var scanner = StreamMatcher([])
    /// The rest of the preamble that is to be written.
    private var unsent: ArraySlice<UInt8> = []
    /// What was read before the preamble was answered; after that, what came right behind the answer.
    private var leftover: [UInt8]
    private var discarded = 0
    private var deadline: TimerID?
    private var ready: ((Interest) -> Void)?
    private var wantsWritable = false

    /// Set when the stream itself broke its format; the error that `read` throws cannot say so.
    private(set) var violation: Failure?
    /// How many connections over it the runner has ended with a Goodbye.
    var complaints = 0
    /// While set, nothing is read: the container's pipe fills, and its writers wait.
    var isPaused = false {
        didSet { if isPaused != oldValue { resumeReading() } }
    }

    /// `pending`: what the engine sent before the stream was handed over.
    init(
        loop: PollLoop, stream: consuming FileDescriptor, framing: StreamEdge.Framing, pending: [UInt8],
        runner: Bytes16, limits: RelayLimits, diagnostics: @escaping (String) -> Void
    ) throws(PosixError) {
        self.loop = loop
        self.limits = limits
        raw = stream.raw
        demultiplexer = Demultiplexer(framing)
        self.diagnostics = Diagnostics(report: diagnostics)
        self.runner = runner
        leftover = pending
        try Posix.setNonBlocking(stream.raw)
        socket = consume stream
    }

    /// Writes a preamble and discards what comes until the runner has answered it. A connection before it on this
    /// stream is over.
    func synchronize(synced: @escaping () -> Void, failed: @escaping (Failure) -> Void) {
        scanner = StreamMatcher(SyncPreamble.bytes(runner: runner.array, nonce: Bytes16.random().array))
        unsent = scanner.pattern[...]
        discarded = 0
        state = .synchronizing(synced: synced, failed: failed)
        deadline = loop.after(limits.syncTime) { [weak self] in
            self?.failSync(Failure(.runnerGone, "the runner did not answer the preamble in time"))
        }
        do {
            try loop.watch(raw, [.readable, .writable]) { [weak self] interest in self?.handle(interest) }
            let pending = leftover
            leftover = []
            try search(pending, to: pending.count)
        } catch {
            failSync(Failure(.runnerGone, "\(error)"))
        }
    }

    private func handle(_ interest: Interest) {
        switch state {
        case .synced: ready?(interest)
        case .synchronizing:
            do {
                try sendPreamble()
                if !interest.isDisjoint(with: [.readable, .hangup]) { try readUnsynced() }
            } catch {
                failSync(violation ?? Failure(.runnerGone, "\(error)"))
            }
        case .idle, .closed: break
        }
    }

    private func sendPreamble() throws(PosixError) {
        while !unsent.isEmpty {
            guard case .bytes(let count) = try Posix.write(raw, unsent) else { return }
            unsent = unsent.dropFirst(count)
        }
        try loop.change(raw, .readable)
    }

    private func readUnsynced() throws(PosixError) {
        var buffer = [UInt8](repeating: 0, count: Self.bufferSize)
        defer { Self.zero(0..<buffer.count, of: &buffer) }
        switch try Posix.read(raw, into: &buffer) {
        case .wouldBlock: return
        case .endOfFile: failSync(Failure(.runnerGone, "the stream ended before the runner answered"))
        case .bytes(let count): try search(buffer, to: count)
        }
    }

    private func search(_ bytes: [UInt8], to end: Int) throws(PosixError) {
        var position = 0
        var isFound = false
        while let piece = try nextPiece(in: bytes, from: &position, to: end) {
            switch piece {
            case .diagnostics(let range): diagnostics.take(bytes[range])
            case .protocolBytes(let range) where isFound: leftover += bytes[range]
            case .protocolBytes(let range):
                discarded += range.count
                guard let found = scanner.find(in: bytes[range]) else { continue }
                isFound = true
                leftover += bytes[found..<range.upperBound]
            }
        }
        if isFound {
            finishSync()
        } else if discarded > limits.syncBytes {
            failSync(Failure(.runnerViolation, "\(discarded) bytes came instead of the answer to the preamble"))
        }
    }

    private func finishSync() {
        guard case .synchronizing(let synced, _) = state else { return }
        endSync()
        // An answer before the whole question has been sent would be no answer: the nonce is in it.
        state = .synced
        synced()
    }

    private func failSync(_ failure: Failure) {
        guard case .synchronizing(_, let failed) = state else { return }
        hangUp()
        failed(failure)
    }

    private func endSync() {
        if let deadline { loop.cancel(deadline) }
        deadline = nil
    }

    private func nextPiece(
        in bytes: [UInt8], from position: inout Int, to end: Int
    ) throws(PosixError) -> Demultiplexer.Piece? {
        do throws(Demultiplexer.Violation) {
            return try demultiplexer.next(in: bytes, from: &position, to: end)
        } catch {
            violation = Failure(.runnerViolation, "the stream is not in the engine's format: \(error)")
            throw .notTheProtocol("read the runner's stream")
        }
    }

    // MARK: ByteTransport

    func start(on loop: PollLoop, _ ready: @escaping (Interest) -> Void) throws(PosixError) {
        self.ready = ready
        resumeReading()
    }

    func read(into buffer: inout [UInt8], at offset: Int, fds: inout FDBundle) throws(PosixError) -> ReadOutcome {
        if isPaused { return .wouldBlock }
        if !leftover.isEmpty { return takeLeftover(into: &buffer, at: offset) }
        let outcome = try Posix.read(raw, into: &buffer, at: offset)
        guard case .bytes(let count) = outcome else { return outcome }
        // In place: the runner's bytes close up over the engine's headers.
        var position = offset
        var end = offset
        while let piece = try nextPiece(in: buffer, from: &position, to: offset + count) {
            switch piece {
            case .diagnostics(let range): diagnostics.take(buffer[range])
            case .protocolBytes(let range):
                if range.lowerBound != end { Self.move(range, to: end, in: &buffer) }
                end += range.count
            }
        }
        // What has closed up is there a second time: no unmasked byte stays longer than it must.
        if end < offset + count { Self.zero(end..<(offset + count), of: &buffer) }
        return end > offset ? .bytes(end - offset) : .wouldBlock
    }

    private static func zero(_ range: Range<Int>, of buffer: inout [UInt8]) {
        buffer.withUnsafeMutableBytes { bytes in
            for index in range { bytes[index] = 0 }
        }
    }

    private static func move(_ range: Range<Int>, to place: Int, in buffer: inout [UInt8]) {
        buffer.withUnsafeMutableBytes { bytes in
            let target = UnsafeMutableRawBufferPointer(rebasing: bytes[place..<(place + range.count)])
            target.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[range]))
        }
    }

    private func takeLeftover(into buffer: inout [UInt8], at offset: Int) -> ReadOutcome {
        let count = min(leftover.count, buffer.count - offset)
        buffer.replaceSubrange(offset..<(offset + count), with: leftover[..<count])
        // Moved down, and what is left of it behind that is zeroed before the memory shrinks.
        let rest = leftover.count - count
        Self.move(count..<leftover.count, to: 0, in: &leftover)
        Self.zero(rest..<leftover.count, of: &leftover)
        leftover.removeLast(count)
        resumeReading()
        return .bytes(count)
    }

    func write(_ bytes: ArraySlice<UInt8>, fds: [Int32]) throws(PosixError) -> WriteOutcome {
        try Posix.write(raw, bytes)
    }

    func wantWritable(_ wanted: Bool) throws(PosixError) {
        wantsWritable = wanted
        try updateInterest()
    }

    private func updateInterest() throws(PosixError) {
        guard case .synced = state else { return }
        let reading: Interest = isPaused ? [] : .readable
        try loop.change(raw, wantsWritable ? reading.union(.writable) : reading)
    }

    /// Sets what the loop tells us, and reports what is here already, of which the loop knows nothing.
    private func resumeReading() {
        do {
            try updateInterest()
        } catch {
            // The descriptor is not in the loop: the next read says why.
            loop.soon { [weak self] in self?.ready?(.readable) }
        }
        guard !isPaused, !leftover.isEmpty else { return }
        loop.soon { [weak self] in self?.ready?(.readable) }
    }

    /// Ends the connection, not the stream: another may begin with `synchronize`.
    func close() {
        if case .closed = state { return }
        endSync()
        diagnostics.flush()
        loop.unwatch(raw)
        state = .idle
        ready = nil
        Self.zero(0..<leftover.count, of: &leftover)
        leftover = []
        isPaused = false
        wantsWritable = false
    }

    /// Ends the stream.
    func hangUp() {
        close()
        state = .closed
        socket = nil
    }
}
