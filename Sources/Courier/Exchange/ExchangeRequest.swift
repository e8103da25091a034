// ExchangeRequest: what is asked of a server, before anybody knows how it is sent. There is no token in it, so it can
// be compared, kept and logged.

/// How the token is said to a server.
package struct Credential: Equatable, Sendable {
    /// The header's name.
    package let header: String
    /// What stands before the token in its value.
    package let prefix: String

    package init(header: String, prefix: String = "") {
        self.header = header
        self.prefix = prefix
    }

    package static let bearer = Credential(header: "Authorization", prefix: "Bearer ")
}

package struct HeaderField: Equatable, Sendable {
    package let name: String
    package let value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

package struct ExchangeRequest: Equatable, Sendable {
    package enum Method: String, Sendable {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
        case delete = "DELETE"
    }

    package let method: Method
    package let origin: Origin
    package let target: RequestTarget
    package let headers: [HeaderField]
    package let body: [UInt8]
    /// Nil: it goes without a token, even where there is one.
    package let credential: Credential?
    /// Where in the body the token stands, too: between the quotes of a JSON text. Nil: nowhere.
    package let tokenAt: Int?
    /// To where the answer may lead, once and without the token.
    package let redirects: Set<Origin>
    /// Whether it may be sent again when nobody knows if it arrived.
    package let isRepeatable: Bool

    /// - Parameter isRepeatable: nil: what HTTP says of the method.
    package init(
        _ method: Method, _ origin: Origin, _ target: RequestTarget, headers: [HeaderField] = [], body: [UInt8] = [],
        credential: Credential?, tokenAt: Int? = nil, redirects: Set<Origin> = [], isRepeatable: Bool? = nil
    ) {
        self.method = method
        self.origin = origin
        self.target = target
        self.headers = headers
        self.body = body
        self.credential = credential
        self.tokenAt = tokenAt
        self.isRepeatable = isRepeatable ?? (method == .get || method == .put || method == .delete)
        self.redirects = redirects
    }

    /// The same, with another header.
    package func adding(_ header: HeaderField) -> ExchangeRequest {
        ExchangeRequest(
            method, origin, target, headers: headers + [header], body: body, credential: credential,
            tokenAt: tokenAt, redirects: redirects, isRepeatable: isRepeatable)
    }

    package var url: String { origin.text + target.text }
}
