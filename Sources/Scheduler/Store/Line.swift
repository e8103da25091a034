// One row of `queues`: jobs that differ in nothing by which a dispatcher chooses.


/// Jobs of one project, pool and priority, oldest first.
package struct Line: Hashable, Sendable {
    package let project: String
    package let pool: Pool
    package let needsGrant: Bool
    package let priority: UInt8
}
