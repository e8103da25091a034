// RunnerErrand: one runner at GitLab, from its registration to its end. It drives a RunnerMachine over Outbound.

import Exchange
package import GitLabRunner
import Outbound
package import Posix

package final class RunnerErrand {
    private var machine: RunnerMachine
    private let sender: RunnerSender
    private let loop: PollLoop
    private let notice: (RunnerMachine.Notice) -> Void
    private let gone: () -> Void
    private var timer: TimerID?
    private var isGone = false
    /// Why the last answer did not come, for a log line.
    package private(set) var trouble: String?

    /// - Parameters:
    ///   - notice: a token to be kept, a job, a problem.
    ///   - gone: called once, after `stop`.
    package init(
        _ machine: consuming RunnerMachine, through sender: RunnerSender, on loop: PollLoop,
        notice: @escaping (RunnerMachine.Notice) -> Void, gone: @escaping () -> Void
    ) {
        self.machine = machine
        self.sender = sender
        self.loop = loop
        self.notice = notice
        self.gone = gone
    }

    deinit { if let timer { loop.cancel(timer) } }

    package func hasRoom(for jobs: Int) {
        machine.hasRoom(for: jobs)
        pumpSoon()
    }

    package func hint() {
        machine.hint()
        pumpSoon()
    }

    package func tokenKept() {
        machine.tokenKept()
        pumpSoon()
    }

    package func stop() {
        machine.stop()
        pumpSoon()
    }

    private func pumpSoon() { loop.soon { [weak self] in self?.pump() } }

    private func pump() {
        if let timer { loop.cancel(timer) }
        timer = nil
        if isGone { return }
        let now = loop.milliseconds
        switch machine.next(now: now, wall: RunnerSender.wall) {
        case .nothing: return
        case .wait(let until):
            timer = loop.after(.milliseconds(Int64(until - min(until, now)))) { [weak self] in
                self?.timer = nil
                self?.pump()
            }
        case .gone:
            isGone = true
            gone()
        case .send(let request, let ask):
            sender.send(request, limits: ask == .job ? .longPoll : .api) { [weak self] outcome, failure in
                self?.take(outcome, failure)
            }
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
