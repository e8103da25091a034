// ZipProblem: what can be wrong with a zip archive or with an entry of it.

package enum ZipProblem: Error, Equatable, Sendable {
    case noEnd
    case severalParts
    case badRecord
    case outOfOrder
    case encrypted
    case method(UInt16)
    case device
    case badType
    case headersDiffer
    case badData
    case wrongSize
    case wrongChecksum

    /// The words, without the entry.
    package var text: String {
        switch self {
        case .noEnd: "not a zip archive, or its end is missing"
        case .severalParts: "it is one of several parts"
        case .badRecord: "its directory is broken"
        case .outOfOrder: "its entries lie over one another, or out of order"
        case .encrypted: "it is encrypted"
        case .method(let method): "compression method \(method) is not supported"
        case .device: "devices and FIFOs are not allowed"
        case .badType: "its name and its type do not fit together"
        case .headersDiffer: "its own header says something else than the archive's directory"
        case .badData: "its data are broken"
        case .wrongSize: "it does not have the size that it says"
        case .wrongChecksum: "its checksum is wrong"
        }
    }
}
