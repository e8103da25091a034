// The log and the journal of one attempt of a job: what the runner reported, masked by the caller, on disk. The files
// that it leaves are ArtifactFiles', and part of this.
//
// Everything is staged in memory first and goes to disk in `commit`: output and pieces first, then the journal entry
// that says so. Only what the journal says is acknowledged to the runner, and recovery cuts log and files back to what
// the journal says; so a kill at any point loses nothing and repeats nothing. A commit that fails (the disk is full)
// changes nothing and is tried again later; meanwhile the caller stops reading from the runner, which bounds what is
// staged.
//
// This holds against the death of the process. While the job runs, nothing is forced to the medium: a power failure
// ends the runner, too, and recovery then says how many bytes of the log are gone. The job's end is different, since
// schedulerd promises the log of a finished job: it is told only when log and journal are forced to the medium, in
// this order, so that no journal ever cuts a finished log short. That is one wait for the disk in a job's life.

import Posix
package import Wire

package final class AttemptLog {
    /// The request that began the attempt; kept in the journal, so that relayd can go on without being told again.
    package let job: RelayEdge.RunJob
    /// What is on disk.
    package private(set) var written: LogPoint
    /// What is on disk or staged.
    package private(set) var reached: LogPoint
    /// Last record that has been taken: on disk, staged, or with the masker.
    package private(set) var taken: UInt64
    /// Bytes of the log file that the journal covers.
    package private(set) var logEnd: UInt64
    /// Bytes of output beyond the limit that are on no disk.
    package private(set) var dropped: UInt64
    /// What the runner reported besides output, in order, on disk.
    package private(set) var events: [RunnerEdge.Record] = []
    /// Whether the runner is known to have the job.
    package var isStarted: Bool
    /// Set when the job is to be stopped. Not on disk: schedulerd says it again after a restart.
    package var cancelGraceSeconds: UInt32?

    let paths: AttemptPaths
    private let disk: Disk
    private let artifacts: ArtifactFiles
    private let logFile: FileDescriptor
    private var journalFile: FileDescriptor
    private var journalEnd: UInt64
    private let limit: UInt64
    private let bytes: LogBytes
    /// Everything written is on the medium.
    private var isSynced = false

    private var stagedOutput: [UInt8] = []
    private var stagedDropped: UInt64 = 0
    private var stagedEntries: [JournalEntry] = []
    private var stagedEvents: [RunnerEdge.Record] = []
    /// The entries to keep when the journal is written anew: the opening one and the events.
    private var kept: [JournalEntry]

    /// A journal of pure progress grows by 42 bytes a pass of the loop; beyond this it is written anew.
    private static let journalLimit: UInt64 = 1 << 20

    init(
        recovered: RecoveredJournal, paths: AttemptPaths, log: consuming FileDescriptor,
        journal: consuming FileDescriptor, limits: StoreLimits, disk: Disk, bytes: LogBytes
    ) {
        job = recovered.job
        written = recovered.last.point
        reached = recovered.last.point
        taken = recovered.last.point.number
        logEnd = recovered.last.logEnd
        dropped = recovered.last.dropped
        events = recovered.events
        isStarted = !recovered.events.isEmpty
        kept = recovered.kept
        journalEnd = recovered.valid
        self.paths = paths
        limit = limits.log
        artifacts = ArtifactFiles(
            ends: recovered.artifactEnds, paths: paths, limit: limits.artifacts, disk: disk)
        self.disk = disk
        self.bytes = bytes
        logFile = log
        journalFile = journal
    }

    /// Last record that is on disk and may be acknowledged.
    package var durable: UInt64 { written.number }
    /// Bytes of output and of artifacts that wait for `commit`.
    package var stagedBytes: Int { stagedOutput.count + artifacts.stagedBytes }
    package var hasStaged: Bool { reached != written || !stagedOutput.isEmpty }

    /// All events, also those that are staged.
    package var takenEvents: [RunnerEdge.Record] { events + stagedEvents }

    /// Artifact rules of which pieces have been taken.
    package var begunArtifacts: Set<UInt16> { Set(artifacts.ends.keys) }

    /// How the attempt ended, once that is on disk.
    package var ended: JobResult? {
        if case .jobEnded(let result)? = events.last { return result }
        return nil
    }

    /// Takes output, which then stands at `point`; `number` is the last record that has been taken. To be called also
    /// when all of a record is held back and there is no output yet.
    package func stage(output bytes: [UInt8], number: UInt64, reaching point: LogPoint) {
        taken = number
        reached = point
        guard stagedDropped + dropped == 0 else {
            stagedDropped += UInt64(bytes.count)
            return
        }
        let room = Int(clamping: limit - min(limit, logEnd + UInt64(stagedOutput.count)))
        guard bytes.count > room else {
            stagedOutput += bytes
            return
        }
        stagedOutput += bytes.prefix(room)
        stagedOutput += Self.notice(limit)
        stagedDropped = UInt64(bytes.count - room)
    }

    /// Takes a piece of an artifact; `number` is the next after `taken`. Nothing is held back any more.
    package func stage(artifact bytes: [UInt8], rule: UInt16, number: UInt64) {
        taken = number
        reached = LogPoint(number: number)
        artifacts.stage(bytes, rule: rule)
        stageEnd(of: rule)
    }

    /// Takes a record that is neither; `number` is the next after `taken`. Nothing is held back any more.
    package func stage(event: RunnerEdge.Record, number: UInt64) throws(WireError) {
        let event = whole(event)
        let encoded = try event.encoded()
        if let ended = event.artifactEnded, ended.files == 0, artifacts.ends[ended.rule] != nil {
            artifacts.drop(ended.rule)
            // Of what came before: a journal that is torn behind this must not say that it has the event.
            stageEnd(of: ended.rule)
        }
        taken = number
        reached = LogPoint(number: number)
        stagedEntries.append(entry(.event(encoded)))
        stagedEvents.append(event)
    }

    /// Before the event that needs it. One entry is enough for the pieces of a commit.
    private func stageEnd(of rule: UInt16) {
        if case .artifact(rule, _)? = stagedEntries.last?.content { stagedEntries.removeLast() }
        stagedEntries.append(entry(.artifact(rule: rule, end: artifacts.ends[rule] ?? 0)))
    }

    /// An artifact that did not fit is none, whatever the runner says of it.
    private func whole(_ event: RunnerEdge.Record) -> RunnerEdge.Record {
        guard var ended = event.artifactEnded, ended.files > 0, artifacts.ends[ended.rule] == ArtifactFiles.dropped
        else { return event }
        ended.files = 0
        ended.problem = "the files that a job leaves may have \(artifacts.limit) bytes here, and these have more"
        return .artifactEnded(ended)
    }

    /// The entries of the artifacts that have ended.
    var artifactEntries: [JournalEntry] {
        kept.filter {
            guard case .event(let encoded) = $0.content else { return false }
            return (try? RunnerEdge.Record.decoded(encoded))?.artifactEnded != nil
        }
    }

    /// Puts everything staged on disk and returns the events that are durable now. Nothing has changed if it throws.
    package func commit() throws(StoreError) -> [RunnerEdge.Record] {
        guard hasStaged else { return [] }
        if stagedEntries.last?.point != reached { stagedEntries.append(entry(.progress)) }
        isSynced = false
        if !stagedOutput.isEmpty { try disk.writeAll(logFile.raw, stagedOutput, at: logEnd) }
        try artifacts.write()
        let isFinal = endIsStaged
        if isFinal { try syncLog() }
        let kept = kept + stagedEntries.filter(\.content.isEvent)
        if journalEnd > Self.journalLimit {
            try rewriteJournal(kept, progress: entry(.progress), isFinal: isFinal)
        } else {
            var bytes: [UInt8] = []
            for entry in stagedEntries { entry.write(to: &bytes) }
            try disk.writeAll(journalFile.raw, bytes, at: journalEnd)
            // Before the end is moved: what is written again after an error goes to the same place.
            if isFinal { try syncJournal() }
            journalEnd += UInt64(bytes.count)
        }
        self.kept = kept
        isSynced = isFinal
        return settleStaged()
    }

    /// Forces everything to the medium, if the job's end has not done that already. Before the journal goes: without it
    /// nobody could say that bytes are missing, and an old one that comes back would cut the log.
    func synchronize() throws(StoreError) {
        try artifacts.cut()
        if isSynced { return }
        try syncLog()
        try syncJournal()
        isSynced = true
    }

    private var endIsStaged: Bool {
        if case .jobEnded? = stagedEvents.last { true } else { false }
    }

    private func syncLog() throws(StoreError) {
        try disk.sync(logFile.raw)
        try artifacts.synchronize()
        for directory in paths.directories { try disk.syncDirectory(directory) }
    }

    private func syncJournal() throws(StoreError) {
        try disk.sync(journalFile.raw)
        try disk.syncDirectory(paths.journals)
    }

    private func settleStaged() -> [RunnerEdge.Record] {
        written = reached
        logEnd += UInt64(stagedOutput.count)
        bytes.count += UInt64(stagedOutput.count)
        dropped += stagedDropped
        events += stagedEvents
        defer { stagedEvents = [] }
        artifacts.settle()
        stagedOutput.removeAll(keepingCapacity: true)
        stagedDropped = 0
        stagedEntries = []
        return stagedEvents
    }

    private func entry(_ content: JournalContent) -> JournalEntry {
        JournalEntry(
            point: reached, logEnd: logEnd + UInt64(stagedOutput.count), dropped: dropped + stagedDropped,
            content: content)
    }

    private func rewriteJournal(
        _ kept: [JournalEntry], progress: JournalEntry, isFinal: Bool
    ) throws(StoreError) {
        let ends = artifacts.ends.map { entry(.artifact(rule: $0.key, end: $0.value)) }
        let entries = kept + ends + [progress]
        let file = try disk.replaceJournal(paths.journal, with: entries, isFinal: isFinal)
        if isFinal { try disk.syncDirectory(paths.journals) }
        journalFile = file
        journalEnd = entries.reduce(0) { $0 + UInt64($1.length) }
    }

    /// The only text of ours in a log, in one that is no longer what the job wrote anyway.
    private static func notice(_ limit: UInt64) -> [UInt8] {
        Array("\n[bulkhead: the log ends here, at its limit of \(limit) bytes; what follows is not stored]\n".utf8)
    }
}
