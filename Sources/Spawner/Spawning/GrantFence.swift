// Which grant is in which runner: a grant that two containers could read would be a secret shared. Filled from the
// labels when spawnerd starts, and before anything is asked of the engine, so that of two creates at once one is
// refused.

import SpawnPolicy
import Wire

/// Lives on the loop's thread.
struct GrantFence {
    private var holders: [Bytes16: Bytes16] = [:]
    private var grants: [Bytes16: Bytes16] = [:]

    /// False if another runner holds the grant, or the runner another grant. The same pair may come again.
    mutating func claim(_ grant: Bytes16, for runner: Bytes16) -> Bool {
        guard holders[grant, default: runner] == runner, grants[runner, default: grant] == grant else { return false }
        holders[grant] = runner
        grants[runner] = grant
        return true
    }

    /// The runner's container is gone, or never was.
    mutating func release(_ runner: Bytes16) {
        guard let grant = grants.removeValue(forKey: runner) else { return }
        holders[grant] = nil
    }
}
