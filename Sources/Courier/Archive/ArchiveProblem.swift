// ArchiveProblem: why what a forge sent is no source archive for us.

package import Posix
package import Tar

package enum ArchiveProblem: Error, Equatable, Sendable {
    /// Not gzip, or broken in the middle of it.
    case notGzip
    /// It ends before its end.
    case cutShort
    /// Something follows the end.
    case dataAfterEnd
    /// It would grow beyond what is allowed, in bytes.
    case tooLarge(limit: UInt64)
    /// It grows in a way that no source does: what it is for is the growing.
    case bomb
    case archive(TarError)
    case outOfMemory
    /// It could not be written.
    case system(PosixError)
}

extension ArchiveProblem: CustomStringConvertible {
    package var description: String {
        switch self {
        case .notGzip: "source archive: not gzip"
        case .cutShort: "source archive: it ends in the middle"
        case .dataAfterEnd: "source archive: there is data after its end"
        case .tooLarge(let limit): "source archive: larger than \(limit) bytes"
        case .bomb: "source archive: it is compressed too well to be a source"
        case .archive(let error): error.description
        case .system(let error): "source archive: \(error)"
        case .outOfMemory: "source archive: no memory for it"
        }
    }
}
