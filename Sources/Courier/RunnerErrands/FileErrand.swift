// FileErrand: a file of a job on its way to GitLab, or one of a job before it on its way here. Both may be sent again:
// the same file once more is taken for the first.

package import Exchange
import Files
package import GitLabRunner
package import Outbound
package import Posix

package final class FileErrand {
    package enum Failure: Error, Equatable, Sendable {
        /// GitLab does not take it, or has none, with this status.
        case refused(status: Int)
        /// It did not come there, or not whole, after all attempts.
        case lost(OutboundFailure?)
    }

    package typealias Completion = (Result<Void, Failure>) -> Void

    private let request: RunnerRequest
    private let sender: RunnerSender
    private let loop: PollLoop
    private let limits: TransferLimits
    private let policy: RetryPolicy
    private let good: Int
    private let source: () -> (any BodySource)?
    private let sink: () -> (any BodySink)?
    private var completion: Completion?
    private var attempt = 0

    private init(
        _ request: RunnerRequest, good: Int, through sender: RunnerSender, on loop: PollLoop, limits: TransferLimits,
        policy: RetryPolicy, source: @escaping () -> (any BodySource)?, sink: @escaping () -> (any BodySink)?
    ) {
        self.request = request
        self.good = good
        self.sender = sender
        self.loop = loop
        self.limits = limits
        self.policy = policy
        self.source = source
        self.sink = sink
    }

    /// - Parameter raw: the file, open until the end.
    package static func upload(
        _ raw: Int32, size: UInt64, _ rule: ArtifactRule, of job: UInt64, by api: RunnerAPI,
        through sender: RunnerSender, on loop: PollLoop, policy: RetryPolicy = RetryPolicy()
    ) -> FileErrand {
        // Nobody who has made the file knows it.
        let boundary = "bulkhead" + (0..<24).map { _ in String(Int.random(in: 0..<36), radix: 36) }.joined()
        let upload = api.upload(job, rule, fileName: rule.fileName, boundary: boundary)
        return FileErrand(
            upload.request, good: 201, through: sender, on: loop, limits: .file(64 << 10), policy: policy,
            source: { FileSource(raw, fileSize: size, head: upload.head, tail: upload.tail) }, sink: { nil })
    }

    /// - Parameters:
    ///   - most: bytes that the archive may have.
    ///   - sink: called for each attempt; it has to begin with an empty file.
    package static func download(
        _ dependency: Dependency, most: UInt64, by api: RunnerAPI, through sender: RunnerSender, on loop: PollLoop,
        policy: RetryPolicy = RetryPolicy(), into sink: @escaping () -> any BodySink
    ) -> FileErrand {
        FileErrand(
            api.download(dependency), good: 200, through: sender, on: loop, limits: .file(most), policy: policy,
            source: { nil }, sink: sink)
    }

    /// Begins. `completion` is called once; until then somebody has to keep this object.
    package func start(_ completion: @escaping Completion) {
        self.completion = completion
        send()
    }

    private func send() {
        attempt += 1
        sender.send(request, limits: limits, from: source(), into: sink()) { [weak self] outcome, failure in
            self?.take(outcome, failure)
        }
    }

    private func take(_ outcome: RetryPolicy.Outcome, _ failure: OutboundFailure?) {
        if case .answer(let answer) = outcome, answer.status == good { return end(.success(())) }
        let decision = policy.decide(
            outcome, to: request.request, attempt: attempt, now: RunnerSender.wall, jitter: .random(in: 0..<1024))
        if case .again(let wait) = decision {
            loop.after(wait) { [weak self] in self?.send() }
        } else if case .answer(let answer) = outcome {
            end(.failure(.refused(status: answer.status)))
        } else {
            end(.failure(.lost(failure)))
        }
    }

    private func end(_ result: Result<Void, Failure>) {
        let completion = completion
        self.completion = nil
        completion?(result)
    }
}
