// Refusal: why a delivery has no event. For the operator's log; whoever sent it is told one thing for all of them.

package import Documents

package enum Refusal: Error, Equatable, Sendable {
    package enum Signature: Equatable, Sendable {
        /// No key is configured, or none that can be one.
        case noKey
        case missing
        case repeated
        case malformed
        case wrong
        /// Made too long ago, or by a clock that is ahead.
        case old
    }

    case signature(Signature)
    case tooLarge
    /// This header is missing, repeated or not what it has to be.
    case header(String)
    /// The body is not plain JSON: a form, or compressed.
    case encoding
    case document(JSONReader.Refused)
    /// What stands at this path is missing, or not what it has to be.
    case fact(String)
    /// It speaks of another repository than the one that it comes from.
    case foreign
}
