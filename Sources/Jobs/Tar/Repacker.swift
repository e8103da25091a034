// Repacker: from the archive of a forge to one of ours: without the folder at its top, and in one form. Pure; whoever
// reads with it takes what it has written now and then. Used by courierd's ArchiveSink.

/// A TarSink that writes another archive.
package struct Repacker: TarSink {
    private var writer = TarWriter()
    private var top: [UInt8]?

    package init() {}

    /// Takes out what was written.
    package mutating func takeAll() -> [UInt8] { writer.takeAll() }

    package mutating func directory(_ path: TarPath) throws(TarProblem) { writer.directory(try stripped(path)) }

    package mutating func beginFile(_ file: TarFile) throws(TarProblem) {
        writer.beginFile(
            TarFile(
                path: try inside(file.path), size: file.size, isExecutable: file.isExecutable, modified: file.modified))
    }

    package mutating func write(_ bytes: ArraySlice<UInt8>) { writer.write(bytes) }

    package mutating func endFile() { writer.endFile() }

    package mutating func symbolicLink(_ path: TarPath, target: [UInt8]) throws(TarProblem) {
        let path = try inside(path)
        // The reader has looked at it with the folder at the top around it; without, the way out is shorter.
        guard path.admitsTarget(target) else { throw .linkLeaves }
        writer.symbolicLink(path, target: target)
    }

    package mutating func hardLink(_ path: TarPath, to existing: TarPath) throws(TarProblem) {
        let path = try inside(path)
        let file: TarPath
        do throws(TarProblem) { file = try inside(existing) } catch { throw .linkLeaves }
        writer.hardLink(path, to: file)
    }

    /// The archive that was read is whole.
    package mutating func finish() throws(TarProblem) {
        if top == nil { throw .noTopFolder }
        writer.finish()
    }

    private mutating func stripped(_ path: TarPath) throws(TarProblem) -> TarPath {
        guard let first = path.components.first, first == top ?? first else { throw .noTopFolder }
        top = first
        return path.belowTop
    }

    private mutating func inside(_ path: TarPath) throws(TarProblem) -> TarPath {
        let path = try stripped(path)
        // A file in the place of the folder.
        if path.components.isEmpty { throw .noTopFolder }
        return path
    }
}
