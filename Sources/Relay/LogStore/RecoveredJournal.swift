// What a journal says after a start: where an attempt stands.

import Wire

struct RecoveredJournal {
    let job: RelayEdge.RunJob
    /// The last whole entry.
    let last: JournalEntry
    let events: [RunnerEdge.Record]
    /// The opening entry and those of the events.
    let kept: [JournalEntry]
    /// Where the archives of artifact rules end.
    let artifactEnds: [UInt16: UInt64]
    /// Bytes of the journal that count.
    let valid: UInt64

    /// nil if not even the opening entry can be read: it is written under another name first, so that is no torn write.
    init?(_ bytes: [UInt8]) {
        let (entries, valid) = JournalEntry.readAll(bytes)
        guard let first = entries.first, let last = entries.last, case .opened(let request) = first.content,
            let job = try? RelayEdge.RunJob.decoded(request)
        else { return nil }
        var events: [RunnerEdge.Record] = []
        var kept = [first]
        var artifactEnds: [UInt16: UInt64] = [:]
        for entry in entries {
            if case .artifact(let rule, let end) = entry.content { artifactEnds[rule] = end }
            guard case .event(let encoded) = entry.content else { continue }
            guard let event = try? RunnerEdge.Record.decoded(encoded) else { return nil }
            events.append(event)
            kept.append(entry)
        }
        self.job = job
        self.last = last
        self.events = events
        self.kept = kept
        self.artifactEnds = artifactEnds
        self.valid = UInt64(valid)
    }

    /// An attempt that begins after the runner's record `number`.
    init(opening job: RelayEdge.RunJob, after number: UInt64) throws(WireError) {
        let entry = JournalEntry(
            point: LogPoint(number: number), logEnd: 0, dropped: 0, content: .opened(try job.encoded()))
        var bytes: [UInt8] = []
        entry.write(to: &bytes)
        self.job = job
        last = entry
        events = []
        kept = [entry]
        artifactEnds = [:]
        valid = UInt64(bytes.count)
    }
}
