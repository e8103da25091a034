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

extension Refusal: CustomStringConvertible {
    package var description: String {
        switch self {
        case .signature(.wrong):
            "its signature is not of the webhook-key; enter the key at the forge again, or set it again"
        case .signature(.missing): "it has no signature; enter the webhook-key at the forge as the webhook's secret"
        case .signature(let why): "its signature cannot be used (\(why))"
        case .tooLarge: "it is too large"
        case .header(let name): "its header \(name) is missing, repeated or not what it has to be"
        case .encoding: "it is no plain JSON"
        case .document(let why): "its body: \(why)"
        case .fact(let path): "\(path.isEmpty ? "its body" : path) is missing, or not what it has to be"
        case .foreign: "it speaks of another repository than its own"
        }
    }
}
