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
    /// Where the forge says that the change is based, if it was asked.
    package let base: BaseWord?
}

/// A job of a delivery that is still to be made, or to be released.
package struct OpenDeliveryJob: Hashable, Sendable {
    package let delivery: UInt64
    package let name: String
    /// It is there, and held.
    package let job: UInt64?
}

extension StoreTransaction {
    static let deliveryColumns = "id, project, word, number, received_ms, state, what, text, base"

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

    /// Of one that came to nothing: as it is when it comes again, under the rules of now.
    package func renewDelivery(_ id: UInt64, _ word: DeliveryWord) throws {
        try run(
            "UPDATE deliveries SET word = ?, state = 1, text = '', base = NULL WHERE id = ?",
            [Self.blob(try Self.bytes(word)), Self.key(id)])
        try run("DELETE FROM delivery_jobs WHERE delivery = ? AND job IS NULL", [Self.key(id)])
    }

    /// Where the forge says that its change is based.
    package func setBase(_ id: UInt64, _ base: BaseWord) throws {
        try run("UPDATE deliveries SET base = ? WHERE id = ?", [Self.blob(try Self.bytes(base)), Self.key(id)])
    }

    package func delivery(_ id: UInt64) throws -> DeliveryRow? {
        try one("SELECT \(Self.deliveryColumns) FROM deliveries WHERE id = ?", [Self.key(id)])
            .map { try Self.delivery($0) }
    }

    package func delivery(ofJob job: UInt64) throws -> DeliveryRow? {
        guard let row = try one("SELECT delivery FROM delivery_jobs WHERE job = ?", [Self.key(job)]) else { return nil }
        return try delivery(UInt64(bitPattern: row["delivery"]))
    }

    /// Newest first, below `before` (0: from the newest), of these projects; nil: of all.
    package func deliveries(of projects: [String]?, before: UInt64, limit: Int) throws -> [DeliveryRow] {
        let bound = before == 0 ? Int64.max : Self.key(before)
        let places = projects?.map { _ in "?" }.joined(separator: ", ")
        let condition = places.map { "AND project IN (\($0))" } ?? ""
        let values: StatementArguments = [bound] + StatementArguments(projects ?? []) + [limit]
        return try all(
            "SELECT \(Self.deliveryColumns) FROM deliveries WHERE id < ? \(condition) ORDER BY id DESC LIMIT ?", values
        ).map { try Self.delivery($0) }
    }

    /// Those of a change whose jobs wait for an approval, or are still to be made.
    package func pendingDeliveries(of project: String, number: UInt64) throws -> [DeliveryRow] {
        try all(
            """
            SELECT \(Self.deliveryColumns) FROM deliveries INDEXED BY deliveries_pending
            WHERE project = ? AND number = ? AND number > 0 AND state IN (1, 2)
            """, [project, Self.key(number)]
        ).map { try Self.delivery($0) }
    }

    /// Those of a project whose jobs wait for an approval.
    package func heldDeliveries(of project: String) throws -> [DeliveryRow] {
        try all(
            """
            SELECT \(Self.deliveryColumns) FROM deliveries INDEXED BY deliveries_pending
            WHERE project = ? AND number > 0 AND state = 2 AND state IN (1, 2) ORDER BY id DESC
            """, [project]
        ).map { try Self.delivery($0) }
    }

    // MARK: its jobs

    /// It is to be made.
    package func addDeliveryJob(_ delivery: UInt64, _ name: String) throws {
        try run(
            "INSERT INTO delivery_jobs (delivery, name, job, open, posted) VALUES (?, ?, NULL, 1, 0)",
            [Self.key(delivery), name])
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

    /// Those of a delivery that are to be done.
    package func openJobs(of delivery: UInt64) throws -> [OpenDeliveryJob] {
        try all(
            "SELECT name, job FROM delivery_jobs WHERE delivery = ? AND open = 1 ORDER BY name", [Self.key(delivery)]
        ).map {
            OpenDeliveryJob(
                delivery: delivery, name: $0["name"], job: ($0["job"] as Int64?).map { UInt64(bitPattern: $0) })
        }
    }

    /// Deliveries with something to do, at most `limit`, those that are `known` aside, and of each project only its
    /// oldest `most`; not of the projects `but`. Each project's oldest first: whoever has sent a thousand is not served
    /// before the next one's first.
    package func openDeliveries(
        limit: Int, ofProject most: Int = .max, known: Set<UInt64>, but projects: [String]
    ) throws -> [DeliveryRow] {
        let names = String(decoding: try JSONEncoder().encode(projects), as: UTF8.self)
        return try all(
            """
            WITH waiting AS (
                SELECT id, row_number() OVER (PARTITION BY project ORDER BY id) AS place FROM deliveries
                WHERE id IN (SELECT delivery FROM delivery_jobs INDEXED BY delivery_jobs_open WHERE open = 1)
                AND project NOT IN (SELECT value FROM json_each(?)))
            SELECT \(Self.deliveryColumns) FROM deliveries JOIN waiting USING (id) WHERE place <= ?
            ORDER BY place, id LIMIT ?
            """, [names, most, limit + known.count]
        ).map { try Self.delivery($0) }.filter { !known.contains($0.id) }
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

    static func delivery(_ row: Row) throws -> DeliveryRow {
        let id = UInt64(bitPattern: row["id"])
        let state: Int64 = row["state"]
        guard let state = UInt8(exactly: state).flatMap({ SchedulerEdge.DeliveryState(rawValue: $0) }) else {
            throw StoreError.damagedRow(DamagedRow(nil, "the state of delivery \(id)"))
        }
        return DeliveryRow(
            id: id, project: row["project"], word: try message(DeliveryWord.self, row["word"] as Data, of: nil),
            number: UInt64(bitPattern: row["number"]), receivedMs: row["received_ms"], state: state, what: row["what"],
            text: row["text"],
            base: try (row["base"] as Data?).map { try message(BaseWord.self, $0, of: nil) })
    }
}
