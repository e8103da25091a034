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
        try one("SELECT \(RunnerRow.columns) FROM runners WHERE id = ?", [Self.blob(id.array)]) { try RunnerRow(&$0) }
    }

    package func runner(ofJob job: UInt64) throws -> RunnerRow? {
        try one("SELECT \(RunnerRow.columns) FROM runners WHERE job = ?", [Self.key(job)]) { try RunnerRow(&$0) }
    }

    /// All of them, oldest first; there are never more than the limit of runners.
    package func runners() throws -> [RunnerRow] {
        try all("SELECT \(RunnerRow.columns) FROM runners ORDER BY created_ms, id") { try RunnerRow(&$0) }
    }

    package func runnerCount() throws -> Int {
        try count("SELECT count(*) FROM runners")
    }

    /// This runner's container has to be gone before `job` is dispatched again.
    package func setFence(_ id: Bytes16, for job: UInt64) throws {
        try run("UPDATE runners SET fences = ? WHERE id = ?", [Self.key(job), Self.blob(id.array)])
    }

    /// The job that waits until this runner is gone.
    package func fencedJob(of id: Bytes16) throws -> UInt64? {
        try one("SELECT fences FROM runners WHERE id = ? AND fences IS NOT NULL", [Self.blob(id.array)])
            .map { UInt64(bitPattern: $0["fences"]) }
    }

    package func isFenced(_ job: UInt64) throws -> Bool {
        try count("SELECT count(*) FROM runners WHERE fences = ?", [Self.key(job)]) > 0
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
        let key = Self.blob(id.array)
        let state = try state(ofRunner: id, key)
        let cell = state.cell(on: event)
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

    private func state(ofRunner id: Bytes16, _ key: Data) throws -> JobModel.RunnerState {
        let number = try one("SELECT state FROM runners WHERE id = ?", [key]) { $0.next() as Int64 }
        guard let number else { return .gone }
        if let state = UInt8(exactly: number).flatMap({ JobModel.RunnerState(rawValue: $0) }) { return state }
        throw StoreError.damagedRow(DamagedRow(.runner(id), "state \(number) of runner \(id)"))
    }
}
