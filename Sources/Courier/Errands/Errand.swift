// Errand: one call at a forge from its first request to its result, over Outbound. It asks again where that may help
// and is soon; where the forge wants a longer wait, it says so to whoever sent it.

package import Exchange
package import ForgeCalls
package import ForgeModel
package import Outbound
package import Posix
package import Secret

/// Why an errand came to nothing.
package enum ErrandFailure: Error, Equatable, Sendable {
    case forge(ForgeProblem)
    /// No answer, after all attempts that made sense.
    case outbound(OutboundFailure)
    /// Not now. Whoever sent it may send it again then, from the start.
    case later(after: Duration)
}

package final class Errand {
    package typealias Completion = (Result<ForgeResult, ErrandFailure>) -> Void

    /// The longest wait that it sits through itself, token in hand.
    private let patience: Duration
    private let policy: RetryPolicy
    private let loop: PollLoop
    private let outbound: Outbound
    private let limits: TransferLimits
    private let makeSink: (() -> any BodySink)?
    private let token: Secret
    private let origins: Set<Origin>
    private var work: ForgeWork
    private var completion: Completion?
    private var attempt = 0
    private var transfer: TransferID?
    private var timer: TimerID?

    /// - Parameters:
    ///   - repository: as `ForgeWork` takes it.
    ///   - makeSink: for an archive: called for each attempt, since half of one may have come before. It has to begin
    ///     with an empty file.
    package init(
        _ call: ForgeCall, at provider: any ForgeProvider, token: consuming Secret, by outbound: Outbound,
        on loop: PollLoop, limits: TransferLimits = .api, policy: RetryPolicy = RetryPolicy(),
        patience: Duration = .seconds(30), doubting repository: Repository? = nil,
        into makeSink: (() -> any BodySink)? = nil
    ) {
        work = ForgeWork(call, at: provider, doubting: repository)
        origins = provider.origins
        self.token = token
        self.outbound = outbound
        self.loop = loop
        self.limits = limits
        self.policy = policy
        self.patience = patience
        self.makeSink = makeSink
    }

    deinit { cancel() }

    /// Begins. `completion` is called once, unless it is cancelled; until then somebody has to keep this object.
    package func start(_ completion: @escaping Completion) {
        self.completion = completion
        do throws(ForgeProblem) {
            send(try work.begin())
        } catch {
            loop.soon { [weak self] in self?.end(.failure(.forge(error))) }
        }
    }

    /// Ends without a word. What was sent may have been done.
    package func cancel() {
        completion = nil
        if let timer { loop.cancel(timer) }
        if let transfer { outbound.cancel(transfer) }
        (timer, transfer) = (nil, nil)
    }

    private func send(_ request: ExchangeRequest) {
        attempt += 1
        let sink = work.wantsSink ? makeSink?() : nil
        transfer = outbound.send(request, token: token, within: origins, limits: limits, into: sink) {
            [weak self] outcome in
            self?.take(outcome, of: request)
        }
    }

    private func take(_ outcome: Result<ExchangeAnswer, OutboundFailure>, of request: ExchangeRequest) {
        transfer = nil
        switch decide(outcome, request) {
        case .again(let wait) where wait <= patience:
            timer = loop.after(wait) { [weak self] in
                self?.timer = nil
                self?.send(request)
            }
        case .again(let wait):
            // Who has said nothing wants nothing: what went wrong is the news.
            switch outcome {
            case .failure(let failure): end(.failure(.outbound(failure)))
            case .success: end(.failure(.later(after: wait)))
            }
        case .final, .giveUp:
            switch outcome {
            case .failure(let failure): end(.failure(.outbound(failure)))
            case .success(let answer): goOn(answer)
            }
        }
    }

    private func decide(
        _ outcome: Result<ExchangeAnswer, OutboundFailure>, _ request: ExchangeRequest
    ) -> RetryPolicy.Decision {
        let known: RetryPolicy.Outcome
        switch outcome {
        case .success(let answer): known = .answer(answer)
        case .failure(let failure):
            // What would be the same again is not tried again.
            guard failure.mayPass else { return .final }
            known = .none(wasSent: failure.wasSent)
        }
        return policy.decide(
            known, to: request, attempt: attempt, now: UInt64(max(0, Posix.wallMilliseconds() / 1000)),
            jitter: .random(in: 0..<1024))
    }

    private func goOn(_ answer: ExchangeAnswer) {
        do throws(ForgeProblem) {
            switch try work.take(answer) {
            case .ask(let request):
                attempt = 0
                send(request)
            case .done(let result): end(.success(result))
            }
        } catch {
            end(.failure(.forge(error)))
        }
    }

    private func end(_ result: Result<ForgeResult, ErrandFailure>) {
        let completion = completion
        self.completion = nil
        completion?(result)
    }
}

extension OutboundFailure {
    /// Whether another attempt may come to something else.
    fileprivate var mayPass: Bool {
        switch reason {
        case .timeout, .transfer: true
        case .unknownOrigin, .malformed, .refusedAddress, .certificate, .tooLarge, .headersTooLarge, .stopped,
            .cancelled:
            false
        }
    }
}
