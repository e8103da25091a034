// Attempts: the fence that keeps a job from running twice at once and an old report from being taken for a new one.

import Foundation
import GRDB
package import Wire

extension StoreTransaction {
    /// A new attempt of a job on a runner, numbered within the job.
    package func openAttempt(job: UInt64, epoch: UInt64, runner: Bytes16) throws -> Attempt {
        // Not RETURNING: that fills a table of its own for one row, which costs more than another statement.
        let number = try count("SELECT attempts + 1 FROM jobs WHERE id = ?", [Self.key(job)])
        try run("UPDATE jobs SET attempts = ? WHERE id = ?", [number, Self.key(job)])
        try run(
            "INSERT INTO attempts (job, attempt, epoch, runner, state) VALUES (?, ?, ?, ?, ?)",
            [
                Self.key(job), number, Self.key(epoch), Self.blob(runner.array), AttemptRow.State.open.rawValue,
            ])
        return Attempt(job: job, attempt: UInt32(truncatingIfNeeded: number), epoch: epoch)
    }

    /// The attempt that a job is at, if it is at one.
    package func openAttempt(ofJob job: UInt64) throws -> AttemptRow? {
        try one(
            "SELECT \(AttemptRow.columns) FROM attempts WHERE job = ? AND state = 1 ORDER BY attempt DESC LIMIT 1",
            [Self.key(job)]
        ) { try AttemptRow(&$0) }
    }

    /// The last attempt that a runner was told of: the one with a log.
    package func toldAttempt(ofJob job: UInt64) throws -> AttemptRow? {
        try one(
            "SELECT \(AttemptRow.columns) FROM attempts WHERE job = ? AND told = 1 ORDER BY attempt DESC LIMIT 1",
            [Self.key(job)]
        ) { try AttemptRow(&$0) }
    }

    /// Exactly this attempt; a wrong epoch finds nothing.
    package func attempt(_ attempt: Attempt) throws -> AttemptRow? {
        try one(
            "SELECT \(AttemptRow.columns) FROM attempts WHERE job = ? AND attempt = ? AND epoch = ?",
            [Self.key(attempt.job), Int64(attempt.attempt), Self.key(attempt.epoch)]
        ) { try AttemptRow(&$0) }
    }

    /// From here on a runner may have heard of it.
    package func noteTold(_ attempt: Attempt) throws {
        try run(
            "UPDATE attempts SET told = 1 WHERE job = ? AND attempt = ?",
            [Self.key(attempt.job), Int64(attempt.attempt)])
    }

    /// Its runner has read the grant.
    package func noteTaken(_ attempt: Attempt) throws {
        try run(
            "UPDATE attempts SET taken = 1 WHERE job = ? AND attempt = ?",
            [Self.key(attempt.job), Int64(attempt.attempt)])
    }

    /// Ends an open attempt: `ended` if a runner was told of it, `void` otherwise. Says which.
    @discardableResult
    package func closeAttempt(ofJob job: UInt64) throws -> AttemptRow? {
        guard let row = try openAttempt(ofJob: job) else { return nil }
        let state = row.told ? AttemptRow.State.ended : .void
        try run(
            "UPDATE attempts SET state = ? WHERE job = ? AND attempt = ?",
            [state.rawValue, Self.key(job), Int64(row.attempt.attempt)])
        return row
    }

    /// Only an ended one.

    package func noteSettled(_ attempt: Attempt) throws {
        try run(
            "UPDATE attempts SET state = 3 WHERE job = ? AND attempt = ? AND epoch = ? AND state = 2",
            [Self.key(attempt.job), Int64(attempt.attempt), Self.key(attempt.epoch)])
    }

    /// Ended attempts of which relayd has not confirmed the settlement.
    package func unsettledAttempts() throws -> [Attempt] {
        try all(
            """
            SELECT \(AttemptRow.columns) FROM attempts INDEXED BY attempts_unsettled WHERE state < 3 AND state = 2
            ORDER BY job
            """
        ) { try AttemptRow(&$0).attempt }
    }
}
