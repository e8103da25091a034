// The files that an attempt leaves, piece by piece, on their way to the disk. AttemptLog stages and commits them with
// its own: first the bytes, then the journal's entry that says how far they go.

import Files
import Posix

/// `artifact-<rule>` beside the log. Which of them are whole is in the events of the attempt, and when it is settled in
/// `artifacts`.
final class ArtifactFiles {
    /// In place of an end: what was there is dropped, and so is what still comes.
    static let dropped = UInt64.max
    /// So much goes to the medium at once, when the time for that has come.
    private static let syncBytes = 16 << 20

    private struct Write {
        let rule: UInt16
        let position: UInt64
        var bytes: [UInt8]
    }

    /// Where the file of each rule ends, staged pieces included.
    private(set) var ends: [UInt16: UInt64]
    private(set) var stagedBytes = 0
    private let paths: AttemptPaths
    let limit: UInt64
    private let disk: Disk
    private var staged: [Write] = []
    /// To be cut when the journal says that they are dropped, and those of which it does.
    private var dropping: Set<UInt16> = []
    private var cuttable: Set<UInt16> = []
    /// The one that is written.
    private var file: FileDescriptor?
    private var rule: UInt16?
    private var unsynced = 0

    /// `limit`: bytes of all of them.
    init(ends: [UInt16: UInt64], paths: AttemptPaths, limit: UInt64, disk: Disk) {
        self.ends = ends
        self.paths = paths
        self.limit = limit
        self.disk = disk
    }

    /// Takes a piece; where it does not fit any more, the whole file is dropped.
    func stage(_ bytes: [UInt8], rule: UInt16) {
        let end = ends[rule] ?? 0
        guard end != Self.dropped else { return }
        let used = ends.values.reduce(0) { $1 == Self.dropped ? $0 : $0 + $1 }
        guard UInt64(bytes.count) <= limit - min(limit, used) else { return drop(rule) }
        if staged.last?.rule == rule {
            staged[staged.count - 1].bytes += bytes
        } else {
            staged.append(Write(rule: rule, position: end, bytes: bytes))
        }
        stagedBytes += bytes.count
        ends[rule] = end + UInt64(bytes.count)
    }

    func drop(_ rule: UInt16) {
        guard let end = ends[rule], end != Self.dropped else { return }
        ends[rule] = Self.dropped
        staged.removeAll { $0.rule == rule }
        stagedBytes = staged.reduce(0) { $0 + $1.bytes.count }
        dropping.insert(rule)
    }

    /// Writes what is staged. Said again after an error, it does the same once more.
    func write() throws(StoreError) {
        try cut()
        for write in staged {
            try open(write.rule)
            guard let raw = file?.raw else { continue }
            // Nothing is there yet, or what the journal does not know of.
            if write.position == 0 { try stored { () throws(PosixError) in try Posix.ftruncate(raw, size: 0) } }
            try disk.writeAll(raw, write.bytes, at: write.position)
            unsynced += write.bytes.count
            if unsynced >= Self.syncBytes { try synchronize() }
        }
    }

    /// What is staged is written, and the journal says so.
    func settle() {
        staged = []
        stagedBytes = 0
        cuttable.formUnion(dropping)
        dropping = []
    }

    /// Gives back the room of what the journal calls dropped.
    func cut() throws(StoreError) {
        for rule in cuttable {
            try open(rule)
            guard let raw = file?.raw else { continue }
            try stored { () throws(PosixError) in try Posix.ftruncate(raw, size: 0) }
            cuttable.remove(rule)
        }
    }

    /// Forces to the medium what is not there yet: of one file, since each is when the next begins.
    func synchronize() throws(StoreError) {
        guard unsynced > 0, let raw = file?.raw else { return }
        try disk.sync(raw)
        unsynced = 0
    }

    private func open(_ rule: UInt16) throws(StoreError) {
        guard self.rule != rule else { return }
        try synchronize()
        file = try stored { () throws(PosixError) in
            try Posix.open(paths.artifact(rule), [.writeOnly, .create, .noFollow])
        }
        self.rule = rule
    }
}
