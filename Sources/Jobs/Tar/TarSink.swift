// Where TarReader puts what it reads: DirectorySink on disk, Repacker into another archive, a recorder in tests.

/// A file of an archive, before its bytes.
package struct TarFile: Equatable {
    package let path: TarPath
    /// Bytes that follow.
    package let size: UInt64
    /// Whether the owner may execute it. Nothing else of the mode is kept: no setuid, no sticky bit, no foreign
    /// writers.
    package let isExecutable: Bool
    /// Seconds since 1970; make(1) compares them.
    package let modified: Int64

    package init(path: TarPath, size: UInt64, isExecutable: Bool, modified: Int64) {
        self.path = path
        self.size = size
        self.isExecutable = isExecutable
        self.modified = modified
    }
}

/// Receives the members of an archive in order. After a throw nothing more is called.
package protocol TarSink {
    mutating func directory(_ path: TarPath) throws(TarProblem)
    /// Then come `write`s of `size` bytes in all and one `endFile`.
    mutating func beginFile(_ file: TarFile) throws(TarProblem)
    mutating func write(_ bytes: ArraySlice<UInt8>) throws(TarProblem)
    mutating func endFile() throws(TarProblem)
    /// `target` has passed `TarPath.admitsTarget`.
    mutating func symbolicLink(_ path: TarPath, target: [UInt8]) throws(TarProblem)
    mutating func hardLink(_ path: TarPath, to existing: TarPath) throws(TarProblem)
}
