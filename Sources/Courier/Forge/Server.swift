// Server: where a forge's interface is, and how requests to it are written. Each provider has one.

package import Exchange
import ForgeModel

package struct Server: Equatable, Sendable {
    package let origin: Origin
    /// The path below which the interface lies: `/api/v4`, or with the folder of a site in front of it.
    package let base: String
    package let credential: Credential
    /// What every request says.
    private let headers: [HeaderField]
    private let accept: String

    package init(
        origin: Origin, base: String, credential: Credential, accept: String = "application/json",
        headers: [HeaderField] = []
    ) {
        self.origin = origin
        self.base = base
        self.credential = credential
        self.accept = accept
        self.headers = headers
    }

    /// A path below the base. What cannot be a piece of one is `unusable`.
    package func target(
        _ make: (RequestTarget) throws(RequestTarget.BadPiece) -> RequestTarget
    ) throws(ForgeProblem) -> RequestTarget {
        do throws(RequestTarget.BadPiece) {
            return try make(RequestTarget(base))
        } catch {
            throw .unusable("path")
        }
    }

    package func get(_ target: RequestTarget) -> ExchangeRequest {
        ExchangeRequest(
            .get, origin, target, headers: [HeaderField("Accept", accept)] + headers, credential: credential)
    }

    /// Bytes as they are; the forge may keep them at `redirects`.
    package func download(_ target: RequestTarget, redirects: Set<Origin> = []) -> ExchangeRequest {
        ExchangeRequest(
            .get, origin, target, headers: [HeaderField("Accept", "*/*")] + headers, credential: credential,
            redirects: redirects)
    }

    /// - Parameter isRepeatable: as ExchangeRequest takes it.
    package func send(
        _ method: ExchangeRequest.Method, _ target: RequestTarget, _ body: JSONText, isRepeatable: Bool? = nil
    ) -> ExchangeRequest {
        ExchangeRequest(
            method, origin, target,
            headers: [HeaderField("Accept", accept), HeaderField("Content-Type", "application/json")] + headers,
            body: body.bytes, credential: credential, isRepeatable: isRepeatable)
    }
}
