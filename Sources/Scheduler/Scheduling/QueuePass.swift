// What a pass of the dispatcher remembers while it goes through the lines. Nothing becomes free while it lasts, so what
// could not be served once is not asked about again.

import Store
import Wire

struct QueuePass {
    var walk = LineWalk()
    /// Pools of which no runner can be made now.
    var passedOver: Set<Pool> = []
    /// The machine is let run empty for somebody: nobody behind gets a new runner.
    var isReserved = false
    /// Whose devices are kept for somebody who needs several.
    var withheld: Set<GPUVendor> = []
    /// What the first one asks for that waits for room on this machine.
    var needsRoom: RunnerShape?

    /// The pass that goes on where this one came to its limit.
    var rest: QueuePass {
        var rest = self
        rest.walk = LineWalk(after: walk.last)
        rest.passedOver = []
        return rest
    }
}
