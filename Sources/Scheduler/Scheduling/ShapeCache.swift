// Shapes are read at every dispatch and never change.

import Store
import Wire

/// The shapes that were read lately. Lives on the loop's thread.
final class ShapeCache {
    /// Whoever sends a new shape with every job must not fill our memory. One look at the queue finds room for all of
    /// its own.
    private static let limit = LineWalk.limit
    private var known: [Int64: RunnerShape] = [:]

    func shape(_ key: Int64, _ rows: StoreTransaction) throws -> RunnerShape {
        if let shape = known[key] { return shape }
        let shape = try rows.shape(key)
        if known.count >= Self.limit { known = [:] }
        known[key] = shape
        return shape
    }

    /// The transaction that was read in is undone, and with it perhaps a shape whose key the next one gets.
    func forget() { known = [:] }
}
