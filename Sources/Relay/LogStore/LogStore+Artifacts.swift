// What attempts have left: opening it, keeping the word on it beyond the attempt's journal, forgetting it.

import Files
package import Posix
package import Wire

extension LogStore {
    /// Attempts of one job that are looked at: there are never so many.
    private static let attemptsOfAJob = 4096

    /// What an attempt has left by the artifact rule of this number, one file at least; `.nothing` says why there is
    /// none.
    package func artifactEnd(_ attempt: Attempt, rule: UInt16) throws(StoreError) -> RunnerEdge.ArtifactEnded {
        let key = AttemptKey(attempt)
        guard let ended = try ends(of: key, paths(of: key)).last(where: { $0.rule == rule }) else {
            throw .nothing("this attempt has left nothing by this rule")
        }
        if ended.files == 0 { throw .nothing(ended.problem.isEmpty ? "no file fits this rule" : ended.problem) }
        return ended
    }

    /// Those, as a tar, opened anew: a reader shares no file offset with anybody.
    package func openArtifact(_ attempt: Attempt, rule: UInt16) throws(StoreError) -> FileDescriptor {
        let path = paths(of: AttemptKey(attempt)).artifact(rule)
        do throws(StoreError) {
            return try stored { () throws(PosixError) in try Posix.open(path, [.readOnly, .noFollow]) }
        } catch .notFound {
            throw .nothing("what this attempt has left was removed")
        }
    }

    private func ends(of key: AttemptKey, _ paths: AttemptPaths) throws(StoreError) -> [RunnerEdge.ArtifactEnded] {
        if let known = attempts[key] { return known.events.compactMap(\.artifactEnded) }
        let bytes: [UInt8]
        do throws(StoreError) {
            bytes = try stored { () throws(PosixError) in try Posix.readFile(paths.artifacts, limit: 1 << 16) }
        } catch .notFound {
            return []
        }
        return JournalEntry.readAll(bytes).entries.compactMap {
            guard case .event(let encoded) = $0.content else { return nil }
            return (try? RunnerEdge.Record.decoded(encoded))?.artifactEnded
        }
    }

    /// Before the journal of a settled attempt goes.
    func keepArtifactEnds(of log: AttemptLog) throws(StoreError) {
        let entries = log.artifactEntries
        guard !entries.isEmpty else { return }
        _ = try disk.replaceJournal(log.paths.artifacts, with: entries, isFinal: true)
        try disk.syncDirectory(log.paths.directory)
    }

    /// Removes what all attempts of a job have left; `.conflict` while one of them is under way, `.unfinished` when
    /// there is more than one call removes. What is not there is as good as removed.
    package func removeArtifacts(job: UInt64) throws(StoreError) {
        guard !attempts.values.contains(where: { $0.job.attempt.job == job && $0.ended == nil }) else {
            throw .conflict("an attempt of this job has not ended")
        }
        let isGone = try stored { () throws(PosixError) in
            let jobs = try Posix.open(jobsPath, [.readOnly, .directory, .noFollow])
            guard let directory = try Self.directory("\(job)", in: jobs.raw) else { return true }
            var left = Self.removalLimit
            for name in try Posix.directoryEntries(of: directory.raw, limit: Self.attemptsOfAJob) {
                guard let attempt = try Self.directory(name, in: directory.raw) else { continue }
                for file in try Posix.directoryEntries(of: attempt.raw, limit: Self.removalLimit)
                where file.hasPrefix(AttemptPaths.artifactPrefix) {
                    if left == 0 { return false }
                    left -= 1
                    try Self.forgiving { () throws(PosixError) in try Posix.unlink(file, at: attempt.raw) }
                }
            }
            return true
        }
        guard isGone else { throw .unfinished }
    }

    /// Cuts the files of an unsettled attempt back to what its journal says.
    func recoverArtifacts(_ recovered: RecoveredJournal, _ paths: AttemptPaths) throws(StoreError) {
        let ended = Set(recovered.events.compactMap(\.artifactEnded?.rule))
        for rule in recovered.job.definition.spec.artifacts.indices.map({ UInt16($0) }) {
            let end = recovered.artifactEnds[rule] ?? 0
            let isDropped = end == ArtifactFiles.dropped
            // One that has ended is whole, or was removed since.
            if ended.contains(rule) && !isDropped { continue }
            do throws(StoreError) {
                try stored { () throws(PosixError) in
                    let file = try Posix.open(paths.artifact(rule), [.writeOnly, .noFollow])
                    let size = UInt64(try Posix.fstat(file.raw).size)
                    if size < end && !isDropped { noteLoss(of: end - size, paths.artifact(rule)) }
                    try Posix.ftruncate(file.raw, size: isDropped ? 0 : Int64(end))
                }
            } catch .notFound {
                continue
            }
        }
    }
}

extension RunnerEdge.Record {
    var artifactEnded: RunnerEdge.ArtifactEnded? {
        if case .artifactEnded(let ended) = self { ended } else { nil }
    }
}
