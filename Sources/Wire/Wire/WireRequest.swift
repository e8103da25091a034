// The two kinds of request: a call has one reply, a stream has items and then an end. Either may be answered by an
// error frame instead; every request gets exactly one terminal frame.

/// The body of a frame of kind request.
package protocol WireRequest: WireMessage {
    associatedtype Edge: WireEdge

    /// Who may send it, when, and with which file descriptors.
    static var rule: MessageRule { get }
}

/// `call` in the schema.
package protocol WireCall: WireRequest {
    associatedtype Reply: WireMessage
}

/// `stream` in the schema.
package protocol WireStream: WireRequest {
    associatedtype Item: WireMessage
}
