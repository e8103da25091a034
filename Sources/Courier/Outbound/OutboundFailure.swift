// OutboundFailure: why there is no answer, or only half of one. None of its words comes from a server or holds a URL.

package struct OutboundFailure: Error, Equatable, Sendable {
    package enum Reason: Equatable, Sendable {
        /// The origin is not one of those that are configured.
        case unknownOrigin
        /// The request cannot be written: a control character in it, or a token that is none.
        case malformed
        /// Every address of the host is one to which nobody may go.
        case refusedAddress
        /// Its certificate does not prove who it is.
        case certificate
        /// The answer is longer than the request allows.
        case tooLarge
        case headersTooLarge
        case timeout
        /// The sink wanted no more.
        case stopped
        case cancelled
        /// libcurl's own words for everything else.
        case transfer(String)
    }

    package let reason: Reason
    /// The server may have had the request, and have done what it asked for.
    package let wasSent: Bool

    package init(_ reason: Reason, wasSent: Bool = false) {
        self.reason = reason
        self.wasSent = wasSent
    }
}

extension OutboundFailure: CustomStringConvertible {
    package var description: String {
        switch reason {
        case .unknownOrigin: "this server is not configured"
        case .malformed: "the request cannot be written"
        case .refusedAddress: "its address is private or reserved; name its network to allow it"
        case .certificate: "its certificate is not trusted"
        case .tooLarge: "its answer is too long"
        case .headersTooLarge: "the headers of its answer are too long"
        case .timeout: "it did not answer in time"
        case .stopped: "its answer was not wanted to its end"
        case .cancelled: "it was cancelled"
        case .transfer(let text): text
        }
    }
}
