// Which runners a job may get.

package import Wire

/// Runners of one pool are interchangeable: equal shape, and no trust of one class ever meets another's.
package struct Pool: Hashable, Sendable {
    /// Key of `shapes`: equal keys are equal shapes.
    package let shape: Int64
    package let trust: Trust

    package init(shape: Int64, trust: Trust) {
        self.shape = shape
        self.trust = trust
    }
}

extension RunnerRow {
    package var pool: Pool { Pool(shape: shape, trust: trust) }
}
