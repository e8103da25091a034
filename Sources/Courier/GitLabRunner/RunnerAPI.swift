// RunnerAPI: GitLab's interface for runners, as docs.gitlab.com/api/runners and gitlab-runner's `network` describe it.
// Only requests and answers; who sends when, the machines beside it say. RunnerAPI+Registration: from a runner's first
// word to its last. RunnerAPI+Jobs: a job from its request to its end.

package import Exchange
import ForgeCalls

/// Whose token a request carries. The owner of the tokens puts it in; none of these types has one.
package enum RunnerToken: Equatable, Sendable {
    /// Of a person who may create runners.
    case person
    /// The deprecated one, with which anybody could register.
    case registration
    case runner
    /// Of a job that was given to us, by its number.
    case job(UInt64)
}

/// A request, and the token that goes with it.
package struct RunnerRequest: Equatable, Sendable {
    package let request: ExchangeRequest
    package let token: RunnerToken
}

package struct RunnerAPI: Equatable, Sendable {
    /// In front of the rest of a body whose first key is the token: `{"token":"`.
    private static let tokenPlace = 10
    private static let json = [
        HeaderField("Accept", "application/json"), HeaderField("Content-Type", "application/json"),
    ]

    package let origin: Origin
    /// `/api/v4`, with a site's folder in front of it.
    package let base: String
    package let systemID: SystemID
    package let info: RunnerInfo
    /// Where artifacts may lie, if not at GitLab itself.
    package let stores: Set<Origin>

    package init(
        origin: Origin, base: String = "/api/v4", systemID: SystemID, info: RunnerInfo = RunnerInfo(),
        stores: Set<Origin> = []
    ) {
        self.origin = origin
        self.base = base
        self.systemID = systemID
        self.info = info
        self.stores = stores
    }

    var target: RequestTarget { RequestTarget(base) }

    /// Of a job.
    func target(_ job: UInt64) -> RequestTarget { target.and("/jobs").and(job) }

    /// With the token in the body, where this protocol wants it, and in a header, where its limits look for it.
    func withToken(
        _ method: ExchangeRequest.Method, _ target: RequestTarget, _ token: RunnerToken,
        _ body: [(String, JSONText?)] = [], isRepeatable: Bool? = nil
    ) -> RunnerRequest {
        RunnerRequest(
            request: ExchangeRequest(
                method, origin, target, headers: Self.json, body: JSONText.map([("token", .text(""))] + body).bytes,
                credential: Self.credential(token), tokenAt: Self.tokenPlace, isRepeatable: isRepeatable),
            token: token)
    }

    /// With the token in a header alone.
    func plain(
        _ method: ExchangeRequest.Method, _ target: RequestTarget, _ token: RunnerToken,
        headers: [HeaderField]? = nil, body: [UInt8] = [], redirects: Set<Origin> = [], isRepeatable: Bool? = nil
    ) -> RunnerRequest {
        RunnerRequest(
            request: ExchangeRequest(
                method, origin, target, headers: headers ?? Self.json, body: body, credential: Self.credential(token),
                redirects: redirects, isRepeatable: isRepeatable),
            token: token)
    }

    private static func credential(_ token: RunnerToken) -> Credential {
        switch token {
        case .person: Credential(header: "PRIVATE-TOKEN")
        case .registration, .runner: Credential(header: "RUNNER-TOKEN")
        case .job: Credential(header: "JOB-TOKEN")
        }
    }
}
