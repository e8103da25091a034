// Deliveries: what webhooks have brought, which jobs came of it, and approvals of changes.

import Foundation
import GRDB
package import Wire

/// One row of `deliveries`.
package struct DeliveryRow: Equatable, Sendable {
    package let id: UInt64
    package let project: String
    package let word: DeliveryWord
    /// Of its change; 0: it is none.
    package let number: UInt64
    package let receivedMs: Int64
    package let state: SchedulerEdge.DeliveryState
    package let what: String
    package let text: String
}

/// A job of a delivery that is still to be made, or to be released.
package struct OpenDeliveryJob: Hashable, Sendable {
    package let delivery: UInt64
    package let name: String
    /// It is there, and held.
    package let job: UInt64?
}

extension StoreTransaction {
    private static let deliveryColumns = "id, project, word, number, received_ms, state, what, text"

    /// The delivery of this body that has been here before.
    package func delivery(_ project: String, body: Bytes32) throws -> UInt64? {
        try one(
            """
            SELECT id FROM deliveries WHERE project = ?1 AND body = ?2
            UNION ALL SELECT delivery FROM known_deliveries WHERE project = ?1 AND body = ?2
            """, [project, Self.blob(body.array)]
        ).map { UInt64(bitPattern: $0["id"]) }
    }

    package func insertDelivery(
        _ word: DeliveryWord, number: UInt64, what: String, at now: Int64, house: Int64
    ) throws -> UInt64 {
        try run(
            """
            INSERT INTO deliveries (project, body, word, number, received_ms, received_at, state, what, text)
            VALUES (?, ?, ?, ?, ?, ?, 1, ?, '')
            """,
            [
                word.project, Self.blob(word.delivery.array), Self.blob(try Self.bytes(word)), Self.key(number), now,
                house, Self.line(what, 512),
            ])
        return UInt64(bitPattern: db.lastInsertedRowID)
    }

    package func setDelivery(_ id: UInt64, _ state: SchedulerEdge.DeliveryState, _ text: String) throws {
        try run(
            "UPDATE deliveries SET state = ?, text = ? WHERE id = ?",
            [Int64(state.rawValue), Self.line(text, 512), Self.key(id)])
    }

    package func delivery(_ id: UInt64) throws -> DeliveryRow? {
        try one("SELECT \(Self.deliveryColumns) FROM deliveries WHERE id = ?", [Self.key(id)])
            .map { try Self.delivery($0) }
    }

    package func delivery(ofJob job: UInt64) throws -> DeliveryRow? {
        guard let row = try one("SELECT delivery FROM delivery_jobs WHERE job = ?", [Self.key(job)]) else { return nil }
        return try delivery(UInt64(bitPattern: row["delivery"]))
    }

    /// Newest first, below `before` (0: from the newest). Without a project, of all.
    package func deliveries(of project: String, before: UInt64, limit: Int) throws -> [DeliveryRow] {
        let bound = before == 0 ? Int64.max : Self.key(before)
        let condition = project.isEmpty ? "?2 = ''" : "project = ?2"
        return try all(
            """
            SELECT \(Self.deliveryColumns) FROM deliveries WHERE id < ?1 AND \(condition) ORDER BY id DESC LIMIT ?3
            """, [bound, project, limit]
        ).map { try Self.delivery($0) }
    }

    /// Those of a change whose jobs wait for an approval.
    package func heldDeliveries(of project: String, number: UInt64) throws -> [DeliveryRow] {
        try all(
            """
            SELECT \(Self.deliveryColumns) FROM deliveries INDEXED BY deliveries_held
            WHERE project = ? AND number = ? AND state = 2
            """, [project, Self.key(number)]
        ).map { try Self.delivery($0) }
    }

    // MARK: its jobs

    package func addDeliveryJob(_ delivery: UInt64, _ name: String, job: UInt64?, open: Bool) throws {
        try run(
            "INSERT INTO delivery_jobs (delivery, name, job, open) VALUES (?, ?, ?, ?)",
            [Self.key(delivery), name, job.map { Self.key($0) }, open ? 1 : 0])
    }

    /// Nothing is to be done for it any more. `job`: what it has become.
    package func closeDeliveryJob(_ delivery: UInt64, _ name: String, job: UInt64? = nil) throws {
        try run(
            "UPDATE delivery_jobs SET open = 0, job = coalesce(?, job) WHERE delivery = ? AND name = ?",
            [job.map { Self.key($0) }, Self.key(delivery), name])
    }

    package func openDeliveryJobs(of delivery: UInt64) throws {
        try run("UPDATE delivery_jobs SET open = 1 WHERE delivery = ? AND job IS NOT NULL", [Self.key(delivery)])
    }

    package func deliveryJobs(_ delivery: UInt64) throws -> [(name: String, job: UInt64?, open: Bool)] {
        try all("SELECT name, job, open FROM delivery_jobs WHERE delivery = ? ORDER BY job", [Self.key(delivery)]).map {
            (
                name: $0["name"], job: ($0["job"] as Int64?).map { UInt64(bitPattern: $0) },
                open: ($0["open"] as Int64) == 1
            )
        }
    }

    /// All that are to be done, oldest first, at most `limit`.
    package func openDeliveryJobs(limit: Int) throws -> [OpenDeliveryJob] {
        try all(
            """
            SELECT delivery, name, job FROM delivery_jobs INDEXED BY delivery_jobs_open WHERE open = 1
            ORDER BY delivery LIMIT ?
            """, [limit]
        ).map {
            OpenDeliveryJob(
                delivery: UInt64(bitPattern: $0["delivery"]), name: $0["name"],
                job: ($0["job"] as Int64?).map { UInt64(bitPattern: $0) })
        }
    }

    // MARK: approvals

    package func keepApproval(_ word: ApprovalWord) throws {
        try run(
            "INSERT OR REPLACE INTO approvals (project, number, word) VALUES (?, ?, ?)",
            [word.project, Self.key(word.number), Self.blob(try Self.bytes(word))])
    }

    package func approval(_ project: String, number: UInt64) throws -> ApprovalWord? {
        try one("SELECT word FROM approvals WHERE project = ? AND number = ?", [project, Self.key(number)])
            .map { try Self.message(ApprovalWord.self, $0["word"] as Data, of: nil) }
    }

    package func forgetApproval(_ project: String, number: UInt64) throws {
        try run("DELETE FROM approvals WHERE project = ? AND number = ?", [project, Self.key(number)])
    }

    private static func delivery(_ row: Row) throws -> DeliveryRow {
        let id = UInt64(bitPattern: row["id"])
        let state: Int64 = row["state"]
        guard let state = UInt8(exactly: state).flatMap({ SchedulerEdge.DeliveryState(rawValue: $0) }) else {
            throw StoreError.damagedRow(DamagedRow(nil, "the state of delivery \(id)"))
        }
        return DeliveryRow(
            id: id, project: row["project"], word: try message(DeliveryWord.self, row["word"] as Data, of: nil),
            number: UInt64(bitPattern: row["number"]), receivedMs: row["received_ms"], state: state, what: row["what"],
            text: row["text"])
    }
}
