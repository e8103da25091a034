// A request that has passed every check that needs no knowledge of its type.

/// Given out by `Session.next`; to be decoded by the handler table and then admitted.
package struct IncomingRequest: Sendable {
    package let id: UInt64
    /// Index of the request's row in the edge's rules.
    let rule: Int
    package let type: UInt16
    /// Milliseconds that the requester waits from now on; 0: for ever.
    package let deadline: UInt32
    /// Where the body lies in the decoder's buffer.
    package let body: Range<Int>
}
