// Everything that can be wrong with bytes that claim to be a frame or a message.
// The reader throws it on what a peer sent, the writer on what we were about to send.

/// A closed list: `proto-spec/vectors` name these reasons (`reason`), so that both readers agree on why, not only on
/// whether.
package enum WireError: Error, Equatable, Sendable {
    /// The bytes end before the value does.
    case truncated
    /// The value ends before the bytes do.
    case trailingBytes
    /// A length or count outside the bounds of the field (named).
    case outOfBounds(String)
    case badUTF8
    case nulInText
    case badBool(UInt8)
    case badOption(UInt8)
    /// No such case in the enum or union (named).
    case unknownCase(String, UInt64)
    /// The length word is below the rest of the header.
    case frameLength(UInt32)
    /// The length word is above the edge's limit.
    case frameTooLarge(UInt32)
    /// A reserved frame kind.
    case frameKind(UInt8)
    /// No such message of this kind from this side on this edge.
    case unknownMessage(UInt16)
    /// `fd_count` is not what the message says.
    case wrongFDs(UInt8)
    /// Zero where a request is meant, or something else in a control frame.
    case badRequestID(UInt64)
    /// A deadline on a frame that is not a request.
    case badDeadline(UInt32)
}

extension WireError {
    /// The word that stands in `# reject` lines of the vectors.
    package var reason: String {
        switch self {
        case .truncated: "truncated"
        case .trailingBytes: "trailing_bytes"
        case .outOfBounds: "out_of_bounds"
        case .badUTF8: "bad_utf8"
        case .nulInText: "nul_in_text"
        case .badBool: "bad_bool"
        case .badOption: "bad_option"
        case .unknownCase: "unknown_case"
        case .frameLength: "frame_length"
        case .frameTooLarge: "frame_too_large"
        case .frameKind: "frame_kind"
        case .unknownMessage: "unknown_message"
        case .wrongFDs: "wrong_fds"
        case .badRequestID: "bad_request_id"
        case .badDeadline: "bad_deadline"
        }
    }

    /// What a Goodbye says about it.
    package var code: ErrorCode {
        switch self {
        case .frameTooLarge: .frameTooLarge
        case .wrongFDs: .wrongFds
        case .unknownMessage: .unpermitted
        default: .malformed
        }
    }
}

extension WireError: CustomStringConvertible {
    /// For operators. Names fields and numbers, never a peer's text.
    package var description: String {
        switch self {
        case .outOfBounds(let field): "\(reason) \(field)"
        case .badBool(let value), .badOption(let value), .frameKind(let value), .wrongFDs(let value):
            "\(reason) \(value)"
        case .unknownCase(let type, let value): "\(reason) \(type) \(value)"
        case .frameLength(let value), .frameTooLarge(let value), .badDeadline(let value): "\(reason) \(value)"
        case .unknownMessage(let value): "\(reason) \(value)"
        case .badRequestID(let value): "\(reason) \(value)"
        default: reason
        }
    }
}
