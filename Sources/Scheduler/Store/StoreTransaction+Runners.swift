// Runners: made, found, given a job, moved through their table of states, forgotten.

import Foundation
import GRDB
package import JobModel
package import Wire

extension StoreTransaction {
    /// A runner that spawnerd has not been asked for.
    package func insertRunner(_ id: Bytes16, shape: Int64, job: UInt64?, wanted: Bool, at now: Int64) throws {
        try run(
            "INSERT INTO runners (id, shape, state, job, wanted, created_ms) VALUES (?, ?, ?, ?, ?, ?)",
            [
                Self.blob(id.array), shape, Wire.RunnerState.pending.rawValue, job.map(Self.key), wanted ? 1 : 0, now,
            ])
    }

    package func runner(_ id: Bytes16) throws -> RunnerRow? {
        try one("SELECT \(RunnerRow.columns) FROM runners WHERE id = ?", [Self.blob(id.array)])
            .map { try RunnerRow($0) }
    }

    package func runner(ofJob job: UInt64) throws -> RunnerRow? {
        try one("SELECT \(RunnerRow.columns) FROM runners WHERE job = ?", [Self.key(job)]).map { try RunnerRow($0) }
    }

    /// All of them, oldest first; there are never more than the limit of runners.
    package func runners() throws -> [RunnerRow] {
        try all("SELECT \(RunnerRow.columns) FROM runners ORDER BY created_ms, id").map { try RunnerRow($0) }
    }

    package func runnerCount() throws -> Int {
        try count("SELECT count(*) FROM runners")
    }

    /// The oldest idle runner of a shape.
    package func idleRunner(shape: Int64) throws -> Bytes16? {
        try one(
            """
            SELECT \(RunnerRow.columns) FROM runners WHERE state = \(Wire.RunnerState.idle.rawValue) AND job IS NULL
            AND shape = ? ORDER BY created_ms LIMIT 1
            """,
            [shape]
        ).map { try RunnerRow($0).id }
    }

    /// Those that spawnerd has not been asked for.
    package func pendingRunners() throws -> [Bytes16] {
        try all(
            """
            SELECT \(RunnerRow.columns) FROM runners WHERE state = \(Wire.RunnerState.pending.rawValue)
            ORDER BY created_ms
            """
        ).map { try RunnerRow($0).id }
    }

    /// Shapes of which an idle runner waits.
    package func idleShapes() throws -> [Int64] {
        try all(
            """
            SELECT DISTINCT shape FROM runners WHERE state = \(Wire.RunnerState.idle.rawValue) AND job IS NULL
            """
        ).map { $0["shape"] }
    }

    /// The head of the queue, whatever its shape.
    package func headOfQueue() throws -> (job: UInt64, shape: Int64)? {
        try one("SELECT id, shape FROM jobs INDEXED BY jobs_queue WHERE state = 3 ORDER BY id LIMIT 1")
            .map { (UInt64(bitPattern: $0["id"]), $0["shape"]) }
    }

    /// The first in the queue that a runner of this shape fits.
    package func headOfQueue(shape: Int64) throws -> UInt64? {
        try one(
            "SELECT id FROM jobs INDEXED BY jobs_queue_by_shape WHERE state = 3 AND shape = ? ORDER BY id LIMIT 1",
            [shape]
        ).map { UInt64(bitPattern: $0["id"]) }
    }

    package func setJob(_ job: UInt64, ofRunner id: Bytes16) throws {
        try run("UPDATE runners SET job = ? WHERE id = ?", [Self.key(job), Self.blob(id.array)])
    }

    /// Moves a runner through its table. An event that the table refuses throws `.refused` and writes nothing.
    /// A runner without a row is `gone`. Tearing down frees its job for another runner.
    @discardableResult
    package func advance(runner id: Bytes16, on event: RunnerEvent, reason: String = "") throws -> Advance<
        JobModel.RunnerState
    > {
        let state = try runner(id).map { JobModel.RunnerState(rawValue: $0.state.rawValue) ?? .gone } ?? .gone
        let cell = state.cell(on: event)
        let key = Self.blob(id.array)
        switch cell.outcome {
        case .refused:
            throw StoreError.refused("runner \(id) is \(state.label), '\(event.rawValue)': \(cell.guarantee)")
        case .ignored: return .ignored
        case .stays: return .stayed
        case .moves(.gone):
            try run("DELETE FROM runners WHERE id = ?", [key])
            return .moved(.gone)
        case .moves(.teardown):
            try run(
                "UPDATE runners SET state = ?, reason = ?, job = NULL WHERE id = ?",
                [JobModel.RunnerState.teardown.rawValue, reason, key])
            return .moved(.teardown)
        case .moves(let next):
            try run("UPDATE runners SET state = ?, reason = ? WHERE id = ?", [next.rawValue, reason, key])
            return .moved(next)
        }
    }
}
