// RunnerSender: a request of this protocol over Outbound, with its token, and what came of it in the machines' words.

package import Exchange
package import GitLabRunner
package import Outbound
import Posix
import Secret

package final class RunnerSender {
    package typealias Completion = (RetryPolicy.Outcome, OutboundFailure?) -> Void

    private let outbound: Outbound
    private let tokens: any RunnerTokens
    private let origins: Set<Origin>

    /// Speaks to the GitLab of this interface, and to where its artifacts may lie.
    package init(_ api: RunnerAPI, by outbound: Outbound, _ tokens: any RunnerTokens) {
        self.outbound = outbound
        self.tokens = tokens
        origins = api.stores.union([api.origin])
    }

    /// - Parameters:
    ///   - source: the body, if it is a file.
    ///   - completion: called once; with the failure, if that is why there is no answer.
    package func send(
        _ request: RunnerRequest, limits: TransferLimits = .api, from source: (any BodySource)? = nil,
        into sink: (any BodySink)? = nil, _ completion: @escaping Completion
    ) {
        tokens.fetch(request.token) { [outbound, origins] token in
            guard let token else { return completion(.none(wasSent: false), nil) }
            outbound.send(
                request.request, token: token, within: origins, limits: limits, from: source, into: sink
            ) { outcome in
                switch outcome {
                case .success(let answer): completion(.answer(answer), nil)
                case .failure(let failure): completion(.none(wasSent: failure.wasSent), failure)
                }
            }
        }
    }

    /// Seconds since 1970.
    static var wall: UInt64 { UInt64(max(0, Posix.wallMilliseconds() / 1000)) }
}
