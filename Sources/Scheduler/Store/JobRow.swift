// One row of `jobs`, without the spec, which only the runner needs.

import Foundation
import GRDB
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

    init(_ row: Row) throws {
        let state: Int64 = row["state"]
        let id = UInt64(bitPattern: row["id"])
        guard let known = UInt8(exactly: state).flatMap({ Wire.JobState(rawValue: $0) }) else {
            throw StoreError.damagedRow(DamagedRow(.job(id), "state \(state) of job \(id)"))
        }
        self.id = id
        trust = try StoreTransaction.trust(row["trust"], of: .job(id))
        project = row["project"]
        needsGrant = (row["needs_grant"] as Int64) != 0
        name = row["name"]
        image = row["image"]
        shape = row["shape"]
        timeoutSeconds = UInt32(truncatingIfNeeded: row["timeout_seconds"] as Int64)
        self.state = known
        reason = row["reason"]
        createdMs = row["created_ms"]
        startedMs = row["started_ms"]
        finishedMs = row["finished_ms"]
        let grace: Int64 = row["cancel_grace"]
        cancelGrace = (row["cancel_requested"] as Int64) == 0 ? nil : UInt32(truncatingIfNeeded: grace)
        attempts = UInt32(truncatingIfNeeded: row["attempts"] as Int64)
        priority = UInt8(clamping: row["priority"] as Int64)
        group = row["group_name"]
        gate = Gate(rawValue: row["gate"]) ?? .open
        queuedAt = row["queued_at"]
        faults = UInt32(truncatingIfNeeded: row["faults"] as Int64)
        source = try Self.source(row, of: id)
        result = try (row["result"] as Data?).map { try StoreTransaction.message(JobResult.self, $0, of: .job(id)) }
    }

    private static func source(_ row: Row, of id: UInt64) throws -> Source? {
        guard let sha = row["source_sha"] as Data? else { return nil }
        guard let digest = Bytes32(bytes: [UInt8](sha)), let size = row["source_size"] as Int64? else {
            throw StoreError.damagedRow(DamagedRow(.job(id), "the source of job \(id)"))
        }
        return Source(sha256: digest, size: UInt64(bitPattern: size))
    }
}
