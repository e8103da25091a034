// Runners at GitLab, and the jobs that it has given us and does not know the end of.

import Foundation
import GRDB
package import Wire

/// A runner at a project's GitLab.
package struct GitLabRunnerRow: Equatable, Sendable {
    /// With what it was registered, and how it is to go.
    package let leave: CourierEdge.LeaveRunner
    /// It has the one job that it is for.
    package let isSpent: Bool

    package init(_ leave: CourierEdge.LeaveRunner, isSpent: Bool = false) {
        (self.leave, self.isSpent) = (leave, isSpent)
    }

    package var project: String { leave.place.project }
    package var slot: UInt64 { leave.slot }
    package var word: GitLabRunnerWord { leave.known }
}

/// A job of GitLab's, from its coming to the moment at which GitLab has its end.
package struct GitLabJobRow: Equatable, Sendable {
    package let slot: UInt64
    /// Without its source.
    package let definition: JobDefinition
    package let word: GitLabJobWord
    /// Ours; nil: it is not prepared.
    package let job: UInt64?
    /// How it ended without one of ours, and why.
    package let ending: CourierEdge.JobEndWord?
    package let text: String

    package init(
        slot: UInt64, definition: JobDefinition, word: GitLabJobWord, job: UInt64? = nil,
        ending: CourierEdge.JobEndWord? = nil, text: String = ""
    ) {
        (self.slot, self.definition, self.word) = (slot, definition, word)
        (self.job, self.ending, self.text) = (job, ending, text)
    }

    package var project: String { word.project }
    package var number: UInt64 { word.about.job }
}

extension StoreTransaction {
    /// Of a project, oldest first; of all, without one.
    package func gitlabRunners(_ project: String? = nil) throws -> [GitLabRunnerRow] {
        try all(
            "SELECT leave, spent FROM gitlab_runners WHERE ?1 IS NULL OR project = ?1 ORDER BY project, slot", [project]
        ).map {
            GitLabRunnerRow(
                try Self.message(CourierEdge.LeaveRunner.self, $0["leave"] as Data, of: nil),
                isSpent: ($0["spent"] as Int64) != 0)
        }
    }

    /// Those of which a job is on its way.
    package func gitlabSlots(_ project: String) throws -> Set<UInt64> {
        Set(
            try all("SELECT DISTINCT slot FROM gitlab_jobs WHERE project = ?", [project])
                .map { UInt64(bitPattern: $0["slot"]) })
    }

    package func keepGitLabRunner(_ row: GitLabRunnerRow) throws {
        try run(
            """
            INSERT INTO gitlab_runners (project, slot, leave) VALUES (?, ?, ?)
            ON CONFLICT (project, slot) DO UPDATE SET leave = excluded.leave
            """, [row.project, Self.key(row.slot), Self.blob(try Self.bytes(row.leave))])
    }

    /// It has the one job that it is for.
    package func spendGitLabRunner(_ project: String, slot: UInt64) throws {
        try run("UPDATE gitlab_runners SET spent = 1 WHERE project = ? AND slot = ?", [project, Self.key(slot)])
    }

    package func forgetGitLabRunner(_ project: String, slot: UInt64) throws {
        try run("DELETE FROM gitlab_runners WHERE project = ? AND slot = ?", [project, Self.key(slot)])
    }

    // MARK: jobs

    /// Nothing if it is there.
    package func insertGitLabJob(_ row: GitLabJobRow) throws {
        try run(
            """
            INSERT INTO gitlab_jobs (project, number, slot, definition, word) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (project, number) DO NOTHING
            """,
            [
                row.project, Self.key(row.number), Self.key(row.slot), Self.blob(try Self.bytes(row.definition)),
                Self.blob(try Self.bytes(row.word)),
            ])
    }

    /// A row that cannot be read is none: GitLab ends its job by itself.
    package func gitlabJobs() throws -> [GitLabJobRow] {
        try all("SELECT slot, definition, word, job, ending, text FROM gitlab_jobs").compactMap { try? Self.gitlab($0) }
    }

    package func gitlabJob(_ project: String, _ number: UInt64) throws -> GitLabJobRow? {
        try one(
            "SELECT slot, definition, word, job, ending, text FROM gitlab_jobs WHERE project = ? AND number = ?",
            [project, Self.key(number)]
        ).map { try Self.gitlab($0) }
    }

    /// What came with the job and is sealed, for its grant.
    package func gitlabWord(ofJob job: UInt64) throws -> GitLabJobWord? {
        try one("SELECT word FROM gitlab_jobs WHERE job = ?", [Self.key(job)])
            .map { try Self.message(GitLabJobWord.self, $0["word"] as Data, of: nil) }
    }

    package func setGitLabJob(_ project: String, _ number: UInt64, job: UInt64) throws {
        try run(
            "UPDATE gitlab_jobs SET job = ? WHERE project = ? AND number = ? AND ending = 0",
            [Self.key(job), project, Self.key(number)])
    }

    package func endGitLabJob(
        _ project: String, _ number: UInt64, _ end: CourierEdge.JobEndWord, _ text: String
    ) throws {
        try run(
            "UPDATE gitlab_jobs SET ending = ?, text = ? WHERE project = ? AND number = ? AND job IS NULL",
            [Int64(end.rawValue), text, project, Self.key(number)])
    }

    package func forgetGitLabJob(_ project: String, _ number: UInt64) throws {
        try run("DELETE FROM gitlab_jobs WHERE project = ? AND number = ?", [project, Self.key(number)])
    }

    private static func gitlab(_ row: Row) throws -> GitLabJobRow {
        GitLabJobRow(
            slot: UInt64(bitPattern: row["slot"]),
            definition: try message(JobDefinition.self, row["definition"] as Data, of: nil),
            word: try message(GitLabJobWord.self, row["word"] as Data, of: nil),
            job: (row["job"] as Int64?).map { UInt64(bitPattern: $0) },
            ending: CourierEdge.JobEndWord(rawValue: UInt8(clamping: row["ending"] as Int64)), text: row["text"])
    }
}
