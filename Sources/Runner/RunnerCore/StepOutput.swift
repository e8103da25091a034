// The reading end of a step's stdout or stderr. Read only while there is room for what it says: a step that writes
// faster than relayd takes it waits in its own write.

import Posix
import Wire

/// One pipe of one step.
final class StepOutput {
    enum Read {
        case bytes([UInt8])
        /// Nothing there now.
        case wouldBlock
        /// All writers are gone.
        case end
    }

    /// The most that one record holds.
    static let largestRecord = 32_768

    let step: UInt16
    let output: RunnerEdge.Output
    private let fd: FileDescriptor
    private let loop: PollLoop
    private(set) var isOpen = true
    /// What of it is in no record yet.
    var line = UnfinishedLine()
    /// When the unfinished line last grew, on the monotonic clock, in nanoseconds.
    var lastHeard: UInt64 = 0
    /// Runs while there may be an unfinished line.
    var holdTimer: TimerID?

    init(_ step: UInt16, _ output: RunnerEdge.Output, _ fd: consuming FileDescriptor, _ loop: PollLoop) {
        self.step = step
        self.output = output
        self.fd = fd
        self.loop = loop
    }

    deinit { loop.unwatch(fd.raw) }

    func start(_ onReadable: @escaping (StepOutput) -> Void) throws(PosixError) {
        try Posix.setNonBlocking(fd.raw)
        try loop.watch(fd.raw, .readable) { [weak self] _ in
            if let self { onReadable(self) }
        }
    }

    /// Whether to be told when there is something to read.
    func setReading(_ reading: Bool) {
        guard isOpen else { return }
        // Fails only for a descriptor that is not in the loop.
        try? loop.change(fd.raw, reading ? .readable : [])
    }

    /// Reads at most `room` bytes, and what makes a record together with a line that has begun.
    func read(_ buffer: inout [UInt8], room: Int) -> Read {
        guard isOpen else { return .end }
        let begun = line.count < StepOutput.largestRecord / 2 ? line.count : 0
        let most = min(room, StepOutput.largestRecord - begun)
        do {
            let outcome = try buffer.withUnsafeMutableBytes { (bytes) throws(PosixError) in
                try Posix.read(fd.raw, into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<most]))
            }
            switch outcome {
            case .bytes(let count): return .bytes(Array(buffer[..<count]))
            case .wouldBlock: return .wouldBlock
            case .endOfFile: break
            }
        } catch {
            // A pipe has no read errors; if one came, all that is left to do is to stop reading it.
        }
        close()
        return .end
    }

    /// Nothing more is read.
    func close() {
        guard isOpen else { return }
        isOpen = false
        loop.unwatch(fd.raw)
        if let holdTimer { loop.cancel(holdTimer) }
        holdTimer = nil
    }
}
