// The logs and journals of all attempts. Relay asks it for the one that a message names.

import Files
package import Posix
package import Wire

/// Files below the state directory: see AttemptPaths. `STATE/runners/<runner>` is the journal of the last settled
/// attempt of a runner that lives on: it says up to which record that runner has been heard. `STATE/aside` holds
/// journals that could not be read, for the operator; only their names are looked at.
package final class LogStore {
    /// What the start found and the operator should know.
    package private(set) var notes: [String] = []
    /// Attempts that are not settled.
    package private(set) var attempts: [AttemptKey: AttemptLog] = [:]
    /// Attempts whose journal could not be read, at this start or an earlier one: nobody knows how far they came.
    package private(set) var unreadable: Set<AttemptKey> = []

    /// Of all attempts, since the start.
    private let written = LogBytes()

    private let state: String
    private let limits: StoreLimits
    let disk: Disk
    /// Last record of each runner whose attempts are settled.
    private var heard: [Bytes16: UInt64] = [:]

    /// Reads what an earlier process left and cuts off what it did not finish. Per attempt, in bytes: `limit` of
    /// output, `artifactLimit` of the files that it leaves.
    package init(
        state: String, limit: UInt64, artifactLimit: UInt64 = 1 << 30, disk: Disk = .real
    ) throws(StoreError) {
        self.state = state
        limits = StoreLimits(log: limit, artifacts: artifactLimit)
        self.disk = disk
        for name in ["jobs", "open", "runners", "aside"] {
            try stored { () throws(PosixError) in try Posix.mkdir("\(state)/\(name)", mode: 0o700, existing: true) }
        }
        try recoverAttempts()
        try recoverRunners()
    }

    /// Up to which record of this runner everything is on disk.
    package func durable(of runner: Bytes16) -> UInt64 {
        attempts.values.filter { $0.job.runner == runner }.map(\.durable).max() ?? heard[runner] ?? 0
    }

    /// The unfinished attempt that this runner has.
    package func unfinished(on runner: Bytes16) -> AttemptLog? {
        attempts.values.first { $0.job.runner == runner && $0.ended == nil }
    }

    /// Begins an attempt, or finds it if it has begun; `.conflict` if it began with another request, or if its log is
    /// there and settled.
    package func begin(_ job: RelayEdge.RunJob) throws(StoreError) -> AttemptLog {
        let key = AttemptKey(job.attempt)
        if let known = attempts[key] {
            guard known.job == job else { throw .conflict("this attempt began with another request") }
            return known
        }
        if unreadable.contains(key) { throw .conflict("this attempt's journal cannot be read") }
        let paths = paths(of: key)
        let recovered: RecoveredJournal
        do throws(WireError) {
            recovered = try RecoveredJournal(opening: job, after: durable(of: job.runner))
        } catch {
            throw .conflict("the request does not encode: \(error)")
        }
        try stored { () throws(PosixError) in
            try Posix.mkdir("\(state)/jobs/\(key.job)", mode: 0o700, existing: true)
            try Posix.mkdir(paths.directory, mode: 0o700, existing: true)
        }
        let log = try stored { () throws(PosixError) in try Posix.open(paths.log, [.writeOnly, .create, .noFollow]) }
        // Empty: the start of this attempt was cut short. Anything else is a settled log, never to be written again.
        guard try stored({ () throws(PosixError) in try Posix.fstat(log.raw).size }) == 0 else {
            throw .conflict("this attempt is settled")
        }
        let journal = try disk.replaceJournal(paths.journal, with: recovered.kept)
        let attempt = AttemptLog(
            recovered: recovered, paths: paths, log: log, journal: journal, limits: limits, disk: disk, bytes: written)
        attempts[key] = attempt
        return attempt
    }

    /// The log of an attempt, settled or not, opened anew: a reader shares no file offset with anybody.
    package func openLog(_ attempt: Attempt) throws(StoreError) -> FileDescriptor {
        let paths = paths(of: AttemptKey(attempt))
        return try stored { () throws(PosixError) in try Posix.open(paths.log, [.readOnly, .noFollow]) }
    }

    /// Forgets the events of an attempt and closes its log; one that is not known is settled already.
    /// `keepsNumber`: the runner lives on and will go on numbering.
    package func settle(_ attempt: Attempt, keepsNumber: Bool) throws(StoreError) {
        let key = AttemptKey(attempt)
        guard let known = attempts[key] else { return }
        let runner = known.job.runner
        try known.synchronize()
        try keepArtifactEnds(of: known)
        try stored { () throws(PosixError) in
            if keepsNumber {
                try Posix.rename(known.paths.journal, to: runnerPath(runner))
            } else {
                try Posix.unlink(known.paths.journal)
            }
        }
        if keepsNumber { heard[runner] = known.durable }
        attempts[key] = nil
    }

    /// The runner is gone for good.
    package func forget(_ runner: Bytes16) throws(StoreError) {
        guard heard.removeValue(forKey: runner) != nil else { return }
        try stored { () throws(PosixError) in try Posix.unlink(runnerPath(runner)) }
    }

    /// Bytes of logs that were written since the start.
    package var logBytes: UInt64 { written.count }

    func paths(of key: AttemptKey) -> AttemptPaths { AttemptPaths(state: state, key: key) }
    var jobsPath: String { "\(state)/jobs" }
    private func runnerPath(_ runner: Bytes16) -> String { "\(state)/runners/\(runner.hex)" }
}

extension LogStore {
    /// A journal holds one request and a few dozen events, and is written anew beyond 1 MiB.
    private static let journalLimit = 8 << 20

    private func recoverAttempts() throws(StoreError) {
        let directory = state + "/open"
        for name in try entries(directory) {
            let path = "\(directory)/\(name)"
            if name.hasSuffix(".new") {
                try stored { () throws(PosixError) in try Posix.unlink(path) }
                continue
            }
            do throws(StoreError) {
                guard let recovered = RecoveredJournal(try journalBytes(path)) else {
                    setAside(path, "is not a journal")
                    continue
                }
                let key = AttemptKey(recovered.job.attempt)
                attempts[key] = try recover(recovered, paths: paths(of: key))
            } catch {
                if error.isOfTheMachine { throw error }
                setAside(path, "cannot be recovered (\(error))")
            }
        }
        unreadable.formUnion(try entries(state + "/aside").compactMap(AttemptKey.init(journalName:)))
    }

    /// One file must not keep everybody's relayd from starting. Out of the way, so that nothing overwrites it.
    private func setAside(_ path: String, _ why: String) {
        let name = path.split(separator: "/").last ?? ""
        do {
            try Posix.rename(path, to: "\(state)/aside/\(name)")
            notes.append("\(path) \(why); it lies in \(state)/aside now, and what it was for is lost")
        } catch {
            notes.append("\(path) \(why); what it was for is lost, and it stays there (\(error))")
            if let key = AttemptKey(journalName: String(name)) { unreadable.insert(key) }
        }
    }

    private func recover(_ recovered: RecoveredJournal, paths: AttemptPaths) throws(StoreError) -> AttemptLog {
        let journal = try stored { () throws(PosixError) in
            let file = try Posix.open(paths.journal, [.writeOnly, .noFollow])
            try Posix.ftruncate(file.raw, size: Int64(recovered.valid))
            return file
        }
        let log = try stored { () throws(PosixError) in
            try Posix.open(paths.log, [.writeOnly, .create, .noFollow])
        }
        let size = UInt64(try stored { () throws(PosixError) in try Posix.fstat(log.raw).size })
        let end = recovered.last.logEnd
        if size < end {
            noteLoss(of: end - size, paths.log)
        }
        try stored { () throws(PosixError) in try Posix.ftruncate(log.raw, size: Int64(end)) }
        try recoverArtifacts(recovered, paths)
        return AttemptLog(
            recovered: recovered, paths: paths, log: log, journal: journal, limits: limits, disk: disk, bytes: written)
    }

    /// Only the loss of the machine's memory does this. Zeros hold the place, so that offsets stay true.
    func noteLoss(of bytes: UInt64, _ path: String) {
        notes.append("\(path): \(bytes) bytes were lost with the machine's memory")
    }

    private func recoverRunners() throws(StoreError) {
        for name in try entries(state + "/runners") {
            let path = "\(state)/runners/\(name)"
            do throws(StoreError) {
                guard let runner = Bytes16(hex: name), let recovered = RecoveredJournal(try journalBytes(path)) else {
                    setAside(path, "is not a runner's journal")
                    continue
                }
                heard[runner] = recovered.last.point.number
            } catch {
                if error.isOfTheMachine { throw error }
                setAside(path, "cannot be read (\(error))")
            }
        }
    }

    private func entries(_ directory: String) throws(StoreError) -> [String] {
        try stored { () throws(PosixError) in try Posix.directoryEntries(directory) }
    }

    private func journalBytes(_ path: String) throws(StoreError) -> [UInt8] {
        try stored { () throws(PosixError) in try Posix.readFile(path, limit: Self.journalLimit) }
    }
}
