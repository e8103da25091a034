// The queue as metrics show it: how many wait, by pool, and the first thing that keeps them. The reasons have the names
// that `bulkhead why` has.

import JobWire
import Link
import Store
import Wire

/// The labels of one number. Two pools of one image and trust (other resources) are one here.
struct QueueReason: Hashable {
    var image = ""
    var trust = ""
    let reason: String
}

extension Scheduler {
    /// Jobs that a gate keeps are counted without their pool: they do not wait for runners. So are those of all pools
    /// but the fullest `poolsKept`: labels are memory elsewhere.
    func queueReasons(_ unit: UnitOfWork, queued: Int) throws -> [(key: QueueReason, jobs: Int)] {
        var found: [QueueReason: Int] = [:]
        let floor = try floor(unit)
        var left = try unit.rows.inLine()
        let gated = queued - left
        for (pool, needsGrant, waiting) in try unit.rows.busiestPools(limit: Self.poolsKept) {
            let shape = try shapes.shape(pool.shape, unit.rows)
            let first = hindrances(pool, shape, needsGrant: needsGrant, floor).first
            let reason = (first?.kind ?? .nextInLine).label
            found[QueueReason(image: shape.image, trust: "\(pool.trust)", reason: reason), default: 0] += waiting
            left -= waiting
        }
        found[QueueReason(reason: SchedulerEdge.WhyKind.behindOthers.label)] = left
        // Each fence is a runner, so there are few; those with tags are counted up to a bound; the rest is groups.
        let fences = try unit.rows.gated(by: .fence, limit: Self.gatedCounted)
        let tags = try unit.rows.gated(by: .tags, limit: Self.gatedCounted)
        found[QueueReason(reason: SchedulerEdge.WhyKind.oldAttemptIsClearedAway.label)] = fences
        found[QueueReason(reason: SchedulerEdge.WhyKind.tagNotAvailable.label)] = tags
        found[QueueReason(reason: SchedulerEdge.WhyKind.groupIsBusy.label)] = gated - fences - tags
        return found.filter { $0.value > 0 }.map { ($0.key, $0.value) }.sorted {
            ($0.key.image, $0.key.trust, $0.key.reason) < ($1.key.image, $1.key.trust, $1.key.reason)
        }
    }

    private static let gatedCounted = 10_000
}
