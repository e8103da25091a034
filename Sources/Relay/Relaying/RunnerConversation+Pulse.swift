// Whether a runner is still there. Its stream does not say: the engine keeps it open for a container that is paused and
// for a process that is stopped. So an idle runner, from which nothing is to be heard anyway, is asked now and then;
// and one that is given a job has to take it within a time.
//
// The question is an Acknowledge of what is acknowledged already: true, without effect, and answered by every runner.

import Link
import Posix
import Wire

extension RunnerConversation {
    func keepAsking() {
        pulse = loop.after(limits.idleTime) { [weak self] in self?.askIfIdle() }
    }

    func stopAsking() {
        if let pulse { loop.cancel(pulse) }
        pulse = nil
    }

    private func askIfIdle() {
        pulse = nil
        // One that has a job is heard anyway, and may be busy.
        guard isReady, !isJobOffered else { return keepAsking() }
        let question = RunnerEdge.Acknowledge(durable: durable)
        call(question, within: limits.idleAnswerTime, silent: "it is idle and does not answer") { [weak self] _ in
            self?.keepAsking()
        }
    }

    /// A call that a runner answers at once if it is there: one that does not is lost, with a code that says so.
    func call<C: WireCall>(
        _ request: C, within time: Duration, silent: String, _ completion: @escaping (C.Reply) -> Void
    ) where C.Edge == RunnerEdge {
        connection?.call(request, deadline: time) { [weak self] result, _ in
            guard let self, !isClosed else { return }
            switch result {
            case .success(let reply): completion(reply)
            case .failure(let failure) where failure.errorCode == .deadlineExceeded:
                lose(Failure(.deadlineExceeded, "\(silent) for \(time.components.seconds)s"))
            case .failure(let failure): failed(failure)
            }
        }
    }
}
