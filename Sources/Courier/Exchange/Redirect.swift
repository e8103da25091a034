// Redirect: the one that is followed. A forge may say that an archive lies elsewhere; to where, the request says.

package enum Redirect {
    /// The request that an answer leads to: a GET again, to exactly an origin that the request allows, without the
    /// token and without another redirect. Nil: it leads nowhere that we go.
    package static func next(after answer: ExchangeAnswer, to request: ExchangeRequest) -> ExchangeRequest? {
        guard [301, 302, 303, 307, 308].contains(answer.status), request.method == .get,
            let location = answer.header("location"), let (origin, rest) = Origin.split(location),
            request.redirects.contains(origin),
            rest.first == UInt8(ascii: "/"), rest.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "#") }),
            let target = String(rest)
        else { return nil }
        return ExchangeRequest(
            .get, origin, RequestTarget(target), headers: request.headers, credential: nil)
    }
}
