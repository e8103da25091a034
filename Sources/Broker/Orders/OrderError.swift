// The errors of this module. They name what is wrong with a file or an order, and never what stands in it.

/// Why a key, a file or an order cannot be used.
package enum OrderError: Error, Equatable, Sendable {
    /// A master key of another size, in bytes.
    case masterKeySize(Int)
    /// A file of ours that does not read. Line 0: the file as a whole.
    case badFile(line: Int, String)
    /// The order was not sealed by the key that it names, or not for this house, or it is no order.
    case refused(String)
    /// The order or its value is larger than an order may be.
    case tooLarge(limit: Int)
}

extension OrderError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .masterKeySize(let size): "a master key has \(BrokerKeys.masterSize) bytes, this one \(size)"
        case .badFile(0, let what): what
        case .badFile(let line, let what): "line \(line): \(what)"
        case .refused(let what): what
        case .tooLarge(let limit): "larger than \(limit) bytes"
        }
    }
}
