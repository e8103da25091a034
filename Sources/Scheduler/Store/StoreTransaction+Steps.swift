// What is known of a job's steps. The first report of a beginning or an end stands: repeats are harmless.

import Foundation
import GRDB
package import Wire

/// One row of `steps`.
package struct StepRow: Equatable, Sendable {
    package let index: UInt16
    package let startedMs: Int64?
    package let result: StepResult?
}

extension StoreTransaction {
    package func noteStep(job: UInt64, began index: UInt16, at now: Int64) throws {
        try run(
            """
            INSERT INTO steps (job, step, started_ms) VALUES (?, ?, ?)
            ON CONFLICT (job, step) DO UPDATE SET started_ms = coalesce(started_ms, excluded.started_ms)
            """,
            [Self.key(job), Int64(index), now])
    }

    package func noteStep(job: UInt64, ended result: StepResult) throws {
        try run(
            """
            INSERT INTO steps (job, step, result) VALUES (?, ?, ?)
            ON CONFLICT (job, step) DO UPDATE SET result = coalesce(result, excluded.result)
            """,
            [Self.key(job), Int64(result.index), Self.blob(try Self.bytes(result))])
    }

    package func steps(ofJob job: UInt64) throws -> [StepRow] {
        try all("SELECT step, started_ms, result FROM steps WHERE job = ? ORDER BY step", [Self.key(job)]).map { row in
            StepRow(
                index: UInt16(truncatingIfNeeded: row["step"] as Int64), startedMs: row["started_ms"],
                result: try (row["result"] as Data?).map { try Self.message(StepResult.self, $0, of: nil) })
        }
    }
}
