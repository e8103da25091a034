// Keeping: what is let run empty for a job that needs more than is free. Not for ever: one that waits for a job of
// seven days would hold up everybody for as long.

import Wire

/// What can be kept for somebody: the machine's processors and memory, or one vendor's devices.
enum Kept: Hashable {
    case machine
    case devices(GPUVendor)
}

/// Since when something is kept, whoever it is for; times of the house in milliseconds.
struct Keeping {
    private(set) var since: Int64?
    /// Until then others pass.
    private(set) var pausedUntil = Int64.min

    func isPaused(at house: Int64) -> Bool { since == nil && house < pausedUntil }

    mutating func begin(at house: Int64) {
        since = since ?? house
    }

    /// It was of use, or in vain: others pass for as long as they were held up.
    mutating func end(at house: Int64) {
        guard let since else { return }
        pausedUntil = house + (house - since)
        self.since = nil
    }
}

/// A job that runs, by the loop's clock: since when, and when its container is removed at the latest.
struct Work {
    let since: UInt64
    let until: UInt64
}
