// What forges are told: there is no list of what is to be posted. The difference between the state of a job and the
// one that was posted last is that list, so that nothing is lost with whoever was about to post it.

import GRDB
import Wire

/// A job of a delivery, and of which state its forge knows.
package struct PostedJob: Equatable, Sendable {
    package let delivery: UInt64
    package let name: String
    package let job: UInt64
    /// `StatusState`; 0: of none.
    package let posted: UInt8
}

/// A comment that is to be written anew.
package struct DueComment: Equatable, Sendable {
    package let project: String
    package let number: UInt64
    package let marks: Int64
}

extension StoreTransaction {
    /// Jobs whose end the forge does not know yet, behind this one, with their projects.
    package func unposted(
        after last: PostedJob?, limit: Int
    ) throws -> [(job: PostedJob, project: String)] {
        try all(
            """
            SELECT delivery, name, job, posted, project FROM delivery_jobs INDEXED BY delivery_jobs_unposted
            JOIN deliveries ON deliveries.id = delivery
            WHERE job IS NOT NULL AND posted IN (0, 1, 2, 7) AND (delivery, name) > (?, ?)
            ORDER BY delivery, name LIMIT ?
            """, [last.map { Self.key($0.delivery) } ?? -1, last?.name ?? "", limit]
        ).map { (Self.posted($0), $0["project"]) }
    }

    package func posted(_ job: UInt64) throws -> PostedJob? {
        try one("SELECT delivery, name, job, posted FROM delivery_jobs WHERE job = ?", [Self.key(job)])
            .map { Self.posted($0) }
    }

    /// `state` 255: it is told nothing any more. Of a change, the comment is due with that.
    package func setPosted(_ job: UInt64, _ state: UInt8) throws {
        try run("UPDATE delivery_jobs SET posted = ? WHERE job = ?", [Int64(state), Self.key(job)])
    }

    private static func posted(_ row: Row) -> PostedJob {
        PostedJob(
            delivery: UInt64(bitPattern: row["delivery"]), name: row["name"], job: UInt64(bitPattern: row["job"]),
            posted: UInt8(clamping: row["posted"] as Int64))
    }

    // MARK: comments

    package func markComment(_ project: String, number: UInt64) throws {
        try run(
            """
            INSERT INTO comments (project, number, marks) VALUES (?, ?, 1)
            ON CONFLICT (project, number) DO UPDATE SET marks = marks + 1
            """, [project, Self.key(number)])
    }

    /// It says all that was to be said when it was marked so often.
    package func forgetComment(_ comment: DueComment) throws {
        try run(
            "DELETE FROM comments WHERE project = ? AND number = ? AND marks = ?",
            [comment.project, Self.key(comment.number), comment.marks])
    }

    package func dueComment(_ project: String, number: UInt64) throws -> DueComment? {
        try one("SELECT marks FROM comments WHERE project = ? AND number = ?", [project, Self.key(number)])
            .map { DueComment(project: project, number: number, marks: $0["marks"]) }
    }

    package func dueComments() throws -> [DueComment] {
        try all("SELECT project, number, marks FROM comments").map {
            DueComment(project: $0["project"], number: UInt64(bitPattern: $0["number"]), marks: $0["marks"])
        }
    }

    package func newestDelivery(ofChange number: UInt64, of project: String) throws -> DeliveryRow? {
        try one(
            """
            SELECT \(Self.deliveryColumns) FROM deliveries INDEXED BY deliveries_by_change
            WHERE project = ? AND number = ? AND number > 0 ORDER BY id DESC LIMIT 1
            """, [project, Self.key(number)]
        ).map { try Self.delivery($0) }
    }

    /// The deliveries of a change that have jobs, newest first.
    package func deliveries(ofChange number: UInt64, of project: String, limit: Int) throws -> [DeliveryRow] {
        try all(
            """
            SELECT \(Self.deliveryColumns) FROM deliveries INDEXED BY deliveries_by_change
            WHERE project = ? AND number = ? AND number > 0
            AND EXISTS (SELECT 1 FROM delivery_jobs WHERE delivery = deliveries.id AND job IS NOT NULL)
            ORDER BY id DESC LIMIT ?
            """, [project, Self.key(number), limit]
        ).map { try Self.delivery($0) }
    }
}
