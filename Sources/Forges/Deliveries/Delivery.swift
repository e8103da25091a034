// Delivery: what a forge has sent, before and after somebody has looked at its signature.

/// The bytes as they came. Nobody reads the body of this one.
package struct RawDelivery: Sendable {
    /// GitHub sends no more: a push can name 2,048 commits with all of their files. The reader keeps twenty values of
    /// it, so the body is all the memory that it costs.
    package static let maxBytes = 25 << 20

    package let headers: Headers
    package let body: [UInt8]

    package init(headers: Headers, body: [UInt8]) {
        self.headers = headers
        self.body = body
    }
}

/// A delivery whose signature was verified: only these have an event.
package struct Delivery: Sendable {
    package let headers: Headers
    package let body: [UInt8]

    /// For Signatures, and for tests.
    package init(verified raw: RawDelivery) {
        headers = raw.headers
        body = raw.body
    }
}
