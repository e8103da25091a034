// May a request of ours go out now?

package import Wire

/// The answer of `Session.begin`.
package enum OutgoingStart: Equatable, Sendable {
    /// Encode it under this id.
    case send(id: UInt64)
    /// Not yet: the hellos have not passed, or the peer's window is full.
    case wait
    /// Never in this state; nothing was sent.
    case refuse(Failure)
}
