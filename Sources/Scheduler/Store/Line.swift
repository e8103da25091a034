// One row of `queues`: jobs that differ in nothing by which a dispatcher chooses.

/// Jobs of one project, pool and priority, oldest first.
package struct Line: Hashable, Sendable {
    package let project: String
    package let pool: Pool
    package let needsGrant: Bool
    package let priority: UInt8
    /// What the project was served so far; its lines are before those of projects that were served more.
    package let turn: Int64
    /// The oldest job of it.
    package let head: UInt64

    package init(project: String, pool: Pool, needsGrant: Bool, priority: UInt8, turn: Int64, head: UInt64) {
        self.project = project
        self.pool = pool
        self.needsGrant = needsGrant
        self.priority = priority
        self.turn = turn
        self.head = head
    }

    static let columns = "ranks.project, shape, trust, needs_grant, ranks.priority, turn, head"

    init(_ row: inout Columns) throws {
        project = row.next()
        let shape: Int64 = row.next()
        pool = Pool(shape: shape, trust: try StoreTransaction.trust(row.next(), of: .shape(shape)))
        needsGrant = (row.next() as Int64) != 0
        priority = UInt8(clamping: row.next() as Int64)
        turn = row.next()
        head = UInt64(bitPattern: row.next())
    }
}
