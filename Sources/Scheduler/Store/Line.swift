// One row of `queues`: jobs that differ in nothing by which a dispatcher chooses.

/// Jobs of one project, pool and priority, oldest first.
package struct Line: Hashable, Sendable {
    package let project: String
    package let pool: Pool
    package let needsGrant: Bool
    package let priority: UInt8

    package init(project: String, pool: Pool, needsGrant: Bool, priority: UInt8) {
        self.project = project
        self.pool = pool
        self.needsGrant = needsGrant
        self.priority = priority
    }
}
