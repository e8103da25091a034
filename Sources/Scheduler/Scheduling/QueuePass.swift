// What a pass of the dispatcher remembers while it goes through the lines. Nothing becomes free while it lasts, so what
// could not be served once is not asked about again.

import Store
import Wire

struct QueuePass {
    var walk = LineWalk()
    /// Pools of which no runner can be made now.
    var passedOver: Set<Pool> = []
    /// What is kept for somebody, and how much that one is trusted: nobody behind who is trusted no more gets of it.
    var kept: [Kept: Trust] = [:]
    /// What the first one asks for that waits for room on this machine.
    var needsRoom: RunnerShape?

    /// No new runner for this one: the machine is let run empty for somebody.
    func isHeldUp(_ trust: Trust) -> Bool { kept[.machine].map { $0.rawValue <= trust.rawValue } ?? false }

    mutating func keep(_ what: Kept, for trust: Trust) {
        if kept[what].map({ trust.rawValue < $0.rawValue }) ?? true { kept[what] = trust }
    }

    /// The pass that goes on where this one came to its limit.
    var rest: QueuePass {
        var rest = self
        rest.walk = LineWalk(after: walk.last)
        rest.passedOver = []
        return rest
    }
}
