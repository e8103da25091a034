// One row of `ranks`: who has a turn.

/// Jobs of one project and priority.
package struct Rank: Hashable, Sendable {
    package let project: String
    package let priority: UInt8

    package init(project: String, priority: UInt8) {
        self.project = project
        self.priority = priority
    }
}
