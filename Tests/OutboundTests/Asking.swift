// Outbound on a loop of its own, and one request after another through it.

import Exchange
import Outbound
import Posix
import Secret
import Testing

final class Asking {
    typealias Outcome = Result<ExchangeAnswer, OutboundFailure>

    static let token = "tok3n-0f-th3-c0ur13r"
    static let here = AddressPolicy(named: ["127.0.0.0/8"].compactMap(AddressRange.init))

    let loop: PollLoop
    let outbound: Outbound
    private let origins: Set<Origin>

    init(_ origins: Set<Origin>, _ addresses: AddressPolicy = here, authorities: [UInt8]? = nil) throws {
        loop = try PollLoop()
        self.origins = origins
        outbound = try Outbound(loop: loop, settings: OutboundSettings(addresses: addresses, authorities: authorities))
    }

    convenience init(_ servers: LoopbackServer...) throws { try self.init(Set(servers.map(\.origin))) }

    /// Of this text, which is one.
    static func origin(_ text: String) -> Origin {
        guard let origin = Origin(text) else { preconditionFailure(text) }
        return origin
    }

    static func get(_ origin: Origin, _ path: String = "/a", redirect: Origin? = nil) -> ExchangeRequest {
        ExchangeRequest(
            .get, origin, RequestTarget(path), credential: .bearer, redirects: Set([redirect].compactMap { $0 }))
    }

    func ask(
        _ request: ExchangeRequest, limits: TransferLimits = TransferLimits(body: 1 << 20, total: .seconds(30)),
        into sink: (any BodySink)? = nil
    ) throws -> Outcome {
        var outcome: Outcome?
        try send(request, limits: limits, into: sink) { outcome = $0 }
        while outcome == nil { loop.runPass(waiting: .seconds(1)) }
        return try #require(outcome)
    }

    @discardableResult
    func send(
        _ request: ExchangeRequest, limits: TransferLimits = .api, into sink: (any BodySink)? = nil,
        _ completion: @escaping (Outcome) -> Void
    ) throws -> TransferID {
        var token = try Secret(capacity: 64)
        Self.token.utf8.withContiguousStorageIfAvailable { bytes in
            try? token.append(UnsafeRawBufferPointer(bytes))
        }
        return outbound.send(request, token: token, within: origins, limits: limits, into: sink, completion)
    }
}

extension Result where Failure == OutboundFailure {
    var reason: OutboundFailure.Reason? {
        if case .failure(let failure) = self { failure.reason } else { nil }
    }
    var wasSent: Bool? { if case .failure(let failure) = self { failure.wasSent } else { nil } }
}
