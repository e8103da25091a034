// Runners: made, found, given a job, moved through their table of states, forgotten.

import Foundation
import GRDB
package import JobModel
package import Wire

extension StoreTransaction {
    /// A runner that spawnerd has not been asked for.
    package func insertRunner(_ id: Bytes16, pool: Pool, wanted: Bool, at now: Int64) throws {
        try run(
            "INSERT INTO runners (id, shape, trust, state, wanted, created_ms) VALUES (?, ?, ?, ?, ?, ?)",
            [
                Self.blob(id.array), pool.shape, Int64(pool.trust.rawValue), Wire.RunnerState.pending.rawValue,
                wanted ? 1 : 0, now,
            ])
    }

    /// brokerd has prepared a directory for it.
    package func setGrant(_ grant: Bytes16, ofRunner id: Bytes16) throws {
        try run("UPDATE runners SET grant_id = ? WHERE id = ?", [Self.blob(grant.array), Self.blob(id.array)])
    }

    /// The grants of the runners that are not on their way out.
    package func liveGrants() throws -> [Bytes16] {
        try runners().filter { $0.state != .teardown }.compactMap(\.grant)
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

    /// The oldest idle runner of a pool.
    package func idleRunner(_ pool: Pool) throws -> Bytes16? {
        try one(
            """
            SELECT \(RunnerRow.columns) FROM runners WHERE state = \(Wire.RunnerState.idle.rawValue) AND job IS NULL
            AND shape = ? AND trust = ? ORDER BY created_ms LIMIT 1
            """,
            [pool.shape, Int64(pool.trust.rawValue)]
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

    /// Pools of which an idle runner waits.
    package func idlePools() throws -> Set<Pool> {
        let idle = try all(
            """
            SELECT \(RunnerRow.columns) FROM runners WHERE state = \(Wire.RunnerState.idle.rawValue) AND job IS NULL
            """)
        return Set(try idle.map { try RunnerRow($0).pool })
    }

    /// The head of the queue, whatever its pool; with `plain`, of the jobs that need no grant.
    package func headOfQueue(plain: Bool) throws -> (job: UInt64, pool: Pool)? {
        // The literals make the partial indexes usable.
        let sql =
            plain
            ? """
            SELECT id, shape, trust FROM jobs INDEXED BY jobs_plain_queue WHERE state = 3 AND needs_grant = 0
            ORDER BY id LIMIT 1
            """
            : "SELECT id, shape, trust FROM jobs INDEXED BY jobs_queue WHERE state = 3 ORDER BY id LIMIT 1"
        return try one(sql).map { row in
            let id = UInt64(bitPattern: row["id"])
            return (id, Pool(shape: row["shape"], trust: try Self.trust(row["trust"], of: .job(id))))
        }
    }

    /// The first in the queue that a runner of this pool fits.
    package func headOfQueue(_ pool: Pool, plain: Bool) throws -> UInt64? {
        let sql =
            plain
            ? """
            SELECT id FROM jobs INDEXED BY jobs_plain_queue_by_pool WHERE state = 3 AND needs_grant = 0
            AND shape = ? AND trust = ? ORDER BY id LIMIT 1
            """
            : """
            SELECT id FROM jobs INDEXED BY jobs_queue_by_pool WHERE state = 3 AND shape = ? AND trust = ?
            ORDER BY id LIMIT 1
            """
        return try one(sql, [pool.shape, Int64(pool.trust.rawValue)]).map { UInt64(bitPattern: $0["id"]) }
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
