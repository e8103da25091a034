// ArchiveOutput: an archive of one form, written a member at a time. Whoever writes with it takes what there is of it
// now and then.

package import Tar

package protocol ArchiveOutput {
    /// Whether it holds directories and links, or only files.
    static var hasTree: Bool { get }
    static var hasHardLinks: Bool { get }

    mutating func directory(_ path: TarPath) throws(ArchiveProblem)
    /// Then come `write`s of the file's size in all and one `endFile`.
    mutating func beginFile(_ file: TarFile) throws(ArchiveProblem)
    mutating func write(_ bytes: ArraySlice<UInt8>)
    mutating func endFile()
    mutating func symbolicLink(_ path: TarPath, target: [UInt8]) throws(ArchiveProblem)
    mutating func hardLink(_ path: TarPath, to existing: TarPath)
    /// Writes some of what comes behind the last member.
    /// - Returns: whether that was all.
    mutating func close() -> Bool
    /// Takes out what was written.
    mutating func takeAll() -> [UInt8]
}

extension TarWriter: ArchiveOutput {
    package static var hasTree: Bool { true }
    package static var hasHardLinks: Bool { true }

    package mutating func close() -> Bool {
        finish()
        return true
    }
}

/// What has files only says so, and is given nothing else.
extension ArchiveOutput {
    package mutating func directory(_ path: TarPath) throws(ArchiveProblem) {}
    package mutating func symbolicLink(_ path: TarPath, target: [UInt8]) throws(ArchiveProblem) {
        throw .linkAmongFiles
    }
    package mutating func hardLink(_ path: TarPath, to existing: TarPath) {}
}
