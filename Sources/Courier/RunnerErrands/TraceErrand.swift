// TraceErrand: a job's log and end on their way to GitLab. It drives a TraceMachine over Outbound and a file that
// grows: the log as relayd keeps it, masked, by a descriptor that can only be read.

package import Exchange
import Files
package import GitLabRunner
package import Posix

package final class TraceErrand {
    /// How often it is seen whether the log has grown.
    private static let glance = Duration.seconds(1)

    package let handle: JobHandle
    private var machine: TraceMachine
    private var log: FileDescriptor?
    /// Ours, behind the log's end.
    private var words: [UInt8] = []
    private var logEnd: UInt64 = 0
    private let sender: RunnerSender
    private let loop: PollLoop
    private let notice: (TraceMachine.Notice) -> Void
    private let over: (TraceMachine.Over) -> Void
    private var timer: TimerID?
    private var isFinished = false
    private var hasEnded = false
    /// Why the last answer did not come, for a log line.
    package private(set) var trouble: String?

    /// - Parameters:
    ///   - log: nil: there is none yet, see `show`.
    ///   - isResumed: somebody may have sent a part of the log before.
    ///   - notice: what GitLab wants of the job.
    ///   - over: called once, when nothing more is to be said.
    package init(
        _ handle: JobHandle, by api: RunnerAPI, log: consuming FileDescriptor?, isResumed: Bool,
        through sender: RunnerSender, on loop: PollLoop, limits: TraceMachine.Limits = TraceMachine.Limits(),
        policy: RetryPolicy = RetryPolicy(), notice: @escaping (TraceMachine.Notice) -> Void,
        over: @escaping (TraceMachine.Over) -> Void
    ) {
        self.handle = handle
        self.log = log
        self.sender = sender
        self.loop = loop
        self.notice = notice
        self.over = over
        machine = TraceMachine(
            handle, by: api, isResumed: isResumed, now: loop.milliseconds, limits: limits, policy: policy)
    }

    deinit { if let timer { loop.cancel(timer) } }

    package func start() { loop.soon { [weak self] in self?.pump() } }

    /// The log is there, and grows.
    package func show(_ log: consuming FileDescriptor) {
        self.log = consume log
        pump()
    }

    /// The job has ended, and all of its log is in the file. A second time it does nothing.
    /// - Parameter text: for whoever reads the log; its last line.
    package func finish(_ end: JobEnd, _ text: String = "") {
        if isFinished { return }
        isFinished = true
        logEnd = size()
        if !text.isEmpty {
            let isMidLine = logEnd > 0 && read(logEnd - 1, 1) != [UInt8(ascii: "\n")]
            words = Array(((isMidLine ? "\n" : "") + text + "\n").utf8)
        }
        machine.finish(end, logSize: logEnd + UInt64(words.count), now: loop.milliseconds)
        pump()
    }

    private func size() -> UInt64 {
        guard let raw = log?.raw else { return 0 }
        do throws(PosixError) {
            return UInt64(max(0, try Posix.fstat(raw).size))
        } catch {
            trouble = "\(error)"
            return 0
        }
    }

    private func pump() {
        if let timer { loop.cancel(timer) }
        timer = nil
        if hasEnded { return }
        machine.grew(to: size())
        while true {
            let now = loop.milliseconds
            switch machine.next(now: now) {
            case .nothing: return
            case .wait(let until):
                timer = loop.after(min(.milliseconds(Int64(until - min(until, now))), Self.glance)) { [weak self] in
                    self?.timer = nil
                    self?.pump()
                }
                return
            case .read(let offset, let count): machine.feed(read(offset, count))
            case .send(let request):
                sender.send(request) { [weak self] outcome, failure in self?.take(outcome, failure) }
                return
            case .over(let end):
                hasEnded = true
                return over(end)
            }
        }
    }

    private func read(_ offset: UInt64, _ count: Int) -> [UInt8] {
        if !words.isEmpty, offset >= logEnd { return Array(words.dropFirst(Int(offset - logEnd)).prefix(count)) }
        guard let raw = log?.raw else { return [] }
        let count = isFinished ? Int(min(UInt64(count), logEnd - min(offset, logEnd))) : count
        do throws(PosixError) {
            return try Posix.pread(raw, maximum: count, at: Int64(clamping: offset))
        } catch {
            trouble = "\(error)"
            return []
        }
    }

    private func take(_ outcome: RetryPolicy.Outcome, _ failure: (any Error)?) {
        trouble = failure.map { "\($0)" }
        let told = machine.take(
            outcome, now: loop.milliseconds, wall: RunnerSender.wall, jitter: .random(in: 0..<1024))
        if let told { notice(told) }
        pump()
    }
}

extension PollLoop {
    /// The time of the machines.
    package var milliseconds: UInt64 { now / 1_000_000 }
}
