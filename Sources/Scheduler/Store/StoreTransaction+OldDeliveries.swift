// Deliveries that nobody needs any more, and what is kept of them.

import GRDB

extension StoreTransaction {
    /// Received before `limit`, by the time of the house; nothing waits for them, and their jobs are gone. The oldest
    /// first.
    package func oldDeliveries(before limit: Int64, count: Int) throws -> [UInt64] {
        try all(
            """
            SELECT id FROM deliveries INDEXED BY deliveries_by_age WHERE received_at < ? AND state > 2
            AND NOT EXISTS (SELECT 1 FROM delivery_jobs WHERE delivery = deliveries.id
                AND (open = 1 OR EXISTS (SELECT 1 FROM jobs WHERE jobs.id = delivery_jobs.job)))
            ORDER BY received_at, id LIMIT ?
            """, [limit, count]
        ).map { UInt64(bitPattern: $0["id"]) }
    }

    /// Of it only its hash is left.
    package func forget(delivery id: UInt64) throws {
        let key = Self.key(id)
        try run(
            """
            INSERT OR IGNORE INTO known_deliveries (project, body, delivery)
            SELECT project, body, id FROM deliveries WHERE id = ?
            """, [key])
        try run("DELETE FROM delivery_jobs WHERE delivery = ?", [key])
        try run("DELETE FROM deliveries WHERE id = ?", [key])
    }
}
