// The runner's end of the attach stream: stdin goes through SyncScanner, and each preamble begins a new connection on
// it and on stdout. Talks to the relayd of the moment; which one that is, neither it nor the engine's stream says,
// hence the preambles.

import Posix
import Wire

/// Owns the watching of two descriptors, not the descriptors: they are stdin and stdout for the process's life.
final class RunnerDuct {
    private let loop: PollLoop
    private let input: Int32
    private let output: Int32
    private let runner: [UInt8]
    private let holdBack: Duration
    private var scanner: SyncScanner
    private var current: DuctTransport?
    private var buffer = [UInt8](repeating: 0, count: 64 << 10)
    private var holdTimer: TimerID?
    /// What of our preamble is not written yet; no byte of the new connection goes out before it.
    private var head: ArraySlice<UInt8> = []
    private var currentWantsWritable = false

    /// A preamble has come and been answered: the connection before is over, a new one begins.
    /// The number: how many bytes of the preamble the connection before was given as if they were its own.
    var onSync: ((DuctTransport, Int) -> Void)?
    /// stdin has ended: nobody will ever speak to this runner again.
    var onEnd: (() -> Void)?

    init(loop: PollLoop, _ configuration: RunnerConfiguration) {
        self.loop = loop
        input = configuration.input
        output = configuration.output
        runner = configuration.runner.array
        holdBack = configuration.holdBack
        scanner = SyncScanner(runner: runner)
    }

    func start() throws(PosixError) {
        try Posix.setNonBlocking(input)
        try Posix.setNonBlocking(output)
        try loop.watch(input, .readable) { [weak self] _ in self?.readInput() }
        try loop.watch(output, []) { [weak self] _ in self?.outputIsWritable() }
    }

    // MARK: - In

    private func readInput() {
        do {
            switch try Posix.read(input, into: &buffer) {
            case .bytes(let count): take(buffer[..<count])
            case .wouldBlock: break
            case .endOfFile: end()
            }
        } catch {
            end()
        }
    }

    private func end() {
        loop.unwatch(input)
        onEnd?()
    }

    private func take(_ bytes: ArraySlice<UInt8>) {
        if let holdTimer { loop.cancel(holdTimer) }
        holdTimer = nil
        for event in scanner.scan(bytes) {
            switch event {
            case .bytes(let part): current?.receive(part)
            case .sync(let nonce, let released): begin(nonce, released)
            }
        }
        guard scanner.isHolding else { return }
        holdTimer = loop.after(holdBack) { [weak self] in
            guard let self else { return }
            holdTimer = nil
            current?.receive(scanner.release())
        }
    }

    private func begin(_ nonce: [UInt8], _ released: Int) {
        current?.detach()
        let transport = DuctTransport(self)
        current = transport
        currentWantsWritable = false
        // Half a frame of the old connection may be out already. relayd skips whatever comes before this.
        head = SyncPreamble.bytes(runner: runner, nonce: nonce)[...]
        writeHead()
        onSync?(transport, released)
    }

    /// The connection closed its transport (a violation, or its end): bytes until the next preamble are nobody's.
    func forget(_ transport: DuctTransport) {
        guard current === transport else { return }
        current = nil
        currentWantsWritable = false
        watchOutput()
    }

    // MARK: - Out

    func write(_ bytes: ArraySlice<UInt8>) throws(PosixError) -> WriteOutcome {
        writeHead()
        return head.isEmpty ? try Posix.write(output, bytes) : .wouldBlock
    }

    func wantWritable(_ wanted: Bool) throws(PosixError) {
        currentWantsWritable = wanted
        watchOutput()
    }

    private func writeHead() {
        while !head.isEmpty {
            do {
                guard case .bytes(let count) = try Posix.write(output, head) else { break }
                head = head.dropFirst(count)
            } catch {
                // Nobody holds the other end of stdout. The connection's own write finds the same and ends it.
                head = []
            }
        }
        watchOutput()
    }

    private func watchOutput() {
        // Fails only for a descriptor that is not in the loop, and this one is for the process's life.
        try? loop.change(output, currentWantsWritable || !head.isEmpty ? .writable : [])
    }

    private func outputIsWritable() {
        writeHead()
        if head.isEmpty && currentWantsWritable { current?.becomeWritable() }
    }
}
