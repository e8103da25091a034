// One row of `jobs`, without the spec, which only the runner needs.

import JobWire
package import Wire

/// A job as the database knows it. Times in milliseconds since 1970.
package struct JobRow: Equatable, Sendable {
    package let id: UInt64
    package let project: String
    package let trust: Trust
    /// brokerd is asked for a grant before a runner is told.
    package let needsGrant: Bool
    package let name: String
    package let image: String
    /// Key of `shapes`: equal keys are equal shapes.
    package let shape: Int64
    package let timeoutSeconds: UInt32
    package let source: Source?
    package let state: Wire.JobState
    package let reason: String
    package let createdMs: Int64
    package let startedMs: Int64?
    package let finishedMs: Int64?
    /// The grace in seconds, if somebody asked for a cancellation.
    package let cancelGrace: UInt32?
    /// How many attempts have been made.
    package let attempts: UInt32
    package let result: JobResult?
    package let priority: UInt8
    package let group: String?
    package let gate: Gate
    /// In milliseconds of the house's time.
    package let queuedAt: Int64
    /// Attempts that ended by a fault of the house.
    package let faults: UInt32

    package var isFinal: Bool { state.isFinal }

    package var summary: SchedulerEdge.JobSummary {
        SchedulerEdge.JobSummary(
            id: id, project: project, trust: trust, name: name, image: image, state: state, createdMs: createdMs,
            startedMs: startedMs,
            finishedMs: finishedMs, reason: reason, priority: priority)
    }

    static let columns = """
        id, project, trust, needs_grant, name, image, shape, timeout_seconds, source_sha, source_size, state, reason, \
        created_ms, started_ms, finished_ms, cancel_requested, cancel_grace, attempts, result, \
        priority, group_name, gate, queued_at, faults
        """

    init(_ row: inout Columns) throws {
        let id = UInt64(bitPattern: row.next())
        self.id = id
        project = row.next()
        trust = try StoreTransaction.trust(row.next(), of: .job(id))
        needsGrant = (row.next() as Int64) != 0
        name = row.next()
        image = row.next()
        shape = row.next()
        timeoutSeconds = UInt32(truncatingIfNeeded: row.next() as Int64)
        source = try Self.source(row.next(), size: row.next(), of: id)
        let state: Int64 = row.next()
        guard let known = UInt8(exactly: state).flatMap({ Wire.JobState(rawValue: $0) }) else {
            throw StoreError.damagedRow(DamagedRow(.job(id), "state \(state) of job \(id)"))
        }
        self.state = known
        reason = row.next()
        createdMs = row.next()
        startedMs = row.next()
        finishedMs = row.next()
        let (isCancelled, grace): (Int64, Int64) = (row.next(), row.next())
        cancelGrace = isCancelled == 0 ? nil : UInt32(truncatingIfNeeded: grace)
        attempts = UInt32(truncatingIfNeeded: row.next() as Int64)
        result = try (row.next() as [UInt8]?).map { try StoreTransaction.message(JobResult.self, $0, of: .job(id)) }
        priority = UInt8(clamping: row.next() as Int64)
        group = row.next()
        gate = Gate(rawValue: row.next()) ?? .open
        queuedAt = row.next()
        faults = UInt32(truncatingIfNeeded: row.next() as Int64)
    }

    private static func source(_ sha: [UInt8]?, size: Int64?, of id: UInt64) throws -> Source? {
        guard let sha else { return nil }
        guard let digest = Bytes32(bytes: sha), let size else {
            throw StoreError.damagedRow(DamagedRow(.job(id), "the source of job \(id)"))
        }
        return Source(sha256: digest, size: UInt64(bitPattern: size))
    }
}
