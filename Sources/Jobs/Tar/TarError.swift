// What can be wrong with a source archive, in words for the person who submitted it.

/// One thing that is wrong with an archive or with unpacking it.
package enum TarProblem: Error, Equatable {
    case badChecksum
    case notUstar
    case badNumber(String)
    case badPath
    case pathLeaves
    case pathThroughLink
    case linkLeaves
    case linkTargetMissing
    case linkToNonFile
    case unsupportedType(UInt8)
    case device
    case sparse
    case dataOnLink
    case fileTooLarge(limit: UInt64)
    case tooManyEntries(limit: Int)
    case badExtendedHeader
    case duplicateKey(String)
    case globalKey(String)
    case notADirectory
    case directoryInTheWay
    case cutShort
    case noEndMarker
    case noTopFolder
    case dataAfterEnd
    case noSpace
    case system(call: String, errno: Int32)

    /// The words, without the entry.
    package var text: String {
        switch self {
        case .badChecksum: "bad checksum"
        case .notUstar: "not a ustar or pax archive"
        case .badNumber(let field): "bad number in its \(field) field"
        case .badPath: "path is empty, too long or not acceptable"
        case .pathLeaves: "path leaves the directory"
        case .pathThroughLink: "path goes through a symbolic link"
        case .linkLeaves: "link leaves the directory"
        case .linkTargetMissing: "hard link to a file that is not in the archive before it"
        case .linkToNonFile: "hard link to something that is not a file"
        case .unsupportedType(let type): "entry type \(type) is not supported"
        case .device: "devices and FIFOs are not allowed"
        case .sparse: "sparse files are not supported"
        case .dataOnLink: "a link or directory with data"
        case .fileTooLarge(let limit): "larger than the limit of \(limit) bytes"
        case .tooManyEntries(let limit): "more than \(limit) entries"
        case .badExtendedHeader: "bad extended header"
        case .duplicateKey(let key): "extended header names '\(key)' twice"
        case .globalKey(let key): "global extended header sets '\(key)'"
        case .notADirectory: "a file is in the way of a directory"
        case .directoryInTheWay: "a directory is in the way"
        case .cutShort: "it ends in the middle of an entry"
        case .noEndMarker: "it has no end marker; was it cut short?"
        case .noTopFolder: "not everything lies in one folder at the top"
        case .dataAfterEnd: "there is data after its end"
        case .noSpace: "no space left for it; raise resources.disk"
        case .system(let call, let errno): "\(call) failed with errno \(errno)"
        }
    }
}

/// A problem and the entry it was found in.
package struct TarError: Error, Equatable, CustomStringConvertible {
    package let problem: TarProblem
    /// The entry's path as printable text of at most 120 bytes; nil if the problem belongs to no entry.
    package let entry: String?

    package init(_ problem: TarProblem, entry: [UInt8]? = nil) {
        self.problem = problem
        self.entry = entry.map(TarError.printable)
    }

    /// For example `source archive: entry 'x': path leaves the directory`.
    package var description: String {
        guard let entry else { return "source archive: \(problem.text)" }
        return "source archive: entry '\(entry)': \(problem.text)"
    }

    /// A hostile name must not move a reader's cursor or fake a line of a log: everything but printable ASCII becomes
    /// `?`.
    package static func printable(_ bytes: [UInt8]) -> String {
        let shown = bytes.prefix(120).map { (0x20..<0x7f).contains($0) ? $0 : UInt8(ascii: "?") }
        return String(decoding: shown, as: UTF8.self) + (bytes.count > 120 ? "..." : "")
    }
}
