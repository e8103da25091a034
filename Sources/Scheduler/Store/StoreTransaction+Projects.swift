// Projects: their documents, by the revision that brokerd has in its own word for them.

import Foundation
import GRDB
package import Wire

/// A project as it was applied. `document`: canonical JSON.
package struct ProjectRow: Equatable, Sendable {
    package let name: String
    package let document: [UInt8]
    package let revision: Bytes32
    package let setMs: Int64
}

extension StoreTransaction {
    /// Before brokerd is told: whichever answer is lost, what it holds is here.
    package func stageProject(_ name: String, _ document: [UInt8], _ revision: Bytes32, at now: Int64) throws {
        try run(
            """
            INSERT INTO projects (name, next_document, next_revision, set_ms) VALUES (?, ?, ?, ?)
            ON CONFLICT (name) DO UPDATE
            SET next_document = excluded.next_document, next_revision = excluded.next_revision
            """, [name, Self.blob(document), Self.blob(revision.array), now])
    }

    /// brokerd holds this revision.
    package func promoteProject(_ name: String, _ revision: Bytes32, at now: Int64) throws {
        try run(
            """
            UPDATE projects SET document = next_document, revision = next_revision, next_document = NULL,
                next_revision = NULL, set_ms = ? WHERE name = ? AND next_revision = ?
            """, [now, name, Self.blob(revision.array)])
    }

    /// How far polling has come, in its forge's words; empty: it begins.
    package func cursor(_ project: String) throws -> [UInt8] {
        try one("SELECT cursor FROM projects WHERE name = ? AND cursor IS NOT NULL", [project])
            .map { [UInt8]($0["cursor"] as Data) } ?? []
    }

    package func setCursor(_ project: String, _ cursor: [UInt8]) throws {
        try run("UPDATE projects SET cursor = ? WHERE name = ?", [Self.blob(cursor), project])
    }

    package func removeProject(_ name: String) throws {
        try run("DELETE FROM projects WHERE name = ?", [name])
        try run("DELETE FROM approvals WHERE project = ?", [name])
    }

    package func project(_ name: String) throws -> ProjectRow? {
        try one("SELECT name, document, revision, set_ms FROM projects WHERE name = ? AND document IS NOT NULL", [name])
            .map { try Self.project($0) }
    }

    /// The document that this revision is of; nil: it holds no longer.
    package func project(_ name: String, _ revision: Bytes32, at now: Int64) throws -> ProjectRow? {
        try promoteProject(name, revision, at: now)
        return try project(name).flatMap { $0.revision == revision ? $0 : nil }
    }

    /// By name, behind `after`.
    package func projects(after: String, limit: Int) throws -> [ProjectRow] {
        try all(
            """
            SELECT name, document, revision, set_ms FROM projects WHERE name > ? AND document IS NOT NULL
            ORDER BY name LIMIT ?
            """, [after, limit]
        ).map { try Self.project($0) }
    }

    private static func project(_ row: Row) throws -> ProjectRow {
        let name: String = row["name"]
        guard let revision = Bytes32(bytes: [UInt8](row["revision"] as Data)) else {
            throw StoreError.damagedRow(DamagedRow(nil, "the revision of project \(name)"))
        }
        return ProjectRow(
            name: name, document: [UInt8](row["document"] as Data), revision: revision, setMs: row["set_ms"])
    }
}
