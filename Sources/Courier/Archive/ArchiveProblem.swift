// ArchiveProblem: why what a forge sent, or a job made, is no archive for us.

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
    /// The entry as printable text.
    case zip(ZipProblem, entry: String?)
    /// More than one file, where one is sent as it is.
    case severalFiles
    /// A link, where nothing but files can be sent.
    case linkAmongFiles
    case outOfMemory
    /// It could not be read or written.
    case system(PosixError)
}

extension ArchiveProblem: CustomStringConvertible {
    package var description: String { sentence("source archive") }

    /// For the person who reads it; `what` it was that had the problem: `source archive`, `artifacts`.
    package func sentence(_ what: String) -> String {
        switch self {
        case .notGzip: "\(what): not gzip"
        case .cutShort: "\(what): it ends in the middle"
        case .dataAfterEnd: "\(what): there is data after its end"
        case .tooLarge(let limit): "\(what): larger than \(limit) bytes"
        case .bomb: "\(what): it is compressed too well to be what it says"
        case .archive(let error): error.sentence(what)
        case .zip(let problem, nil): "\(what): \(problem.text)"
        case .zip(let problem, let entry?): "\(what): entry '\(entry)': \(problem.text)"
        case .severalFiles: "\(what): only one file can be sent as it is; make it a zip archive"
        case .linkAmongFiles: "\(what): only files can be sent in this format, and one is a link; make it a zip archive"
        case .system(let error): "\(what): \(error)"
        case .outOfMemory: "\(what): no memory for it"
        }
    }

    /// What a call of the system's says.
    static func system<Value>(_ body: () throws(PosixError) -> Value) throws(ArchiveProblem) -> Value {
        do throws(PosixError) { return try body() } catch { throw .system(error) }
    }

    /// What is wrong with an entry of this path.
    static func entry<Value>(
        _ path: [UInt8], _ body: () throws(TarProblem) -> Value
    ) throws(ArchiveProblem) -> Value {
        do throws(TarProblem) { return try body() } catch { throw .archive(TarError(error, entry: path)) }
    }
    /// What is wrong with a zip archive, or with an entry of this name.
    static func inZip<Value>(
        _ entry: [UInt8]? = nil, _ body: () throws(ZipProblem) -> Value
    ) throws(ArchiveProblem) -> Value {
        do throws(ZipProblem) { return try body() } catch { throw .zip(error, entry: entry.map(TarError.printable)) }
    }
}
