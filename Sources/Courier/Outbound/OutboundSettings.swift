// OutboundSettings: what holds for every transfer: which addresses there are for this process, and whose word it takes
// for who a server is. The servers themselves are named anew with each request.

package struct OutboundSettings: Sendable {
    package let addresses: AddressPolicy
    /// Certificates in PEM, in place of the system's.
    package let authorities: [UInt8]?

    package init(addresses: AddressPolicy, authorities: [UInt8]? = nil) {
        self.addresses = addresses
        self.authorities = authorities
    }
}

/// What a transfer may cost.
package struct TransferLimits: Sendable {
    /// Bytes of a body, in memory or poured into a sink.
    package var body: UInt64
    /// Bytes of all header lines, those of interim answers included.
    package var headers = 64 << 10
    /// Bytes of a body that goes to memory though there is a sink: an error's text.
    package var errorBody: UInt64 = 64 << 10
    package var connect = Duration.seconds(15)
    /// For everything, from the first packet to the last byte.
    package var total: Duration
    /// Slower than this many bytes in a second, for `slowTime`, is dead.
    package var slowest = 64
    package var slowTime = Duration.seconds(20)

    package init(body: UInt64, total: Duration) {
        self.body = body
        self.total = total
    }

    /// For the answers of an API.
    package static let api = TransferLimits(body: 8 << 20, total: .seconds(60))

    /// For a server that keeps a request until there is something to say: GitLab does so for 50 seconds, as its
    /// administrator likes.
    package static let longPoll = {
        var limits = TransferLimits(body: 8 << 20, total: .seconds(150))
        limits.slowTime = .seconds(150)
        return limits
    }()

    /// For a large file in one direction.
    package static func file(_ bytes: UInt64) -> TransferLimits { TransferLimits(body: bytes, total: .seconds(1800)) }
}
