// Why a checked job file has no definition on the wire.

package import Wire

/// What does not fit, in words for its author.
package enum JobWireError: Error, Equatable, Sendable {
    /// A value is out of the protocol's bounds; a job file that has been checked has none.
    case outOfBounds(WireError)
    /// Bytes of the encoded job, and how many are allowed.
    case tooLarge(size: Int, limit: Int)

    /// `invalid` or `too_large`.
    package var code: ErrorCode {
        switch self {
        case .outOfBounds: .invalid
        case .tooLarge: .tooLarge
        }
    }

    /// The key of the job file that it concerns; empty for the whole.
    package var place: String {
        switch self {
        case .outOfBounds: ""
        case .tooLarge: "steps"
        }
    }

    package var text: String {
        switch self {
        case .outOfBounds(let error): "the job does not fit the protocol: \(error)"
        case .tooLarge(let size, let limit):
            "the job is \(size) bytes long; at most \(limit) fit: move scripts into the source"
        }
    }
}
