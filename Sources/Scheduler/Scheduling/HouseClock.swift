// The time of the house: milliseconds in which a schedulerd of this state was up. Patience and cooldowns are counted in
// it: it outlives a restart, and neither a wall clock that jumps nor a night without power ends anything early.

import Posix

/// Lives on the loop's thread.
struct HouseClock {
    /// Where an earlier life stood.
    private let base: Int64
    private let start: UInt64
    /// What was written last. A kill loses what came after it: a second in a house that writes, and in one that is
    /// quiet as much as lies between two looks at the queue, the sweep's at the latest.
    private(set) var kept: Int64

    init(base: Int64, now: UInt64) {
        self.base = base
        start = now
        kept = base
    }

    func time(at now: UInt64) -> Int64 { base + Int64((now - start) / 1_000_000) }

    /// `house` is worth writing: before anything else, which may count from what is written, or with something else.
    func isDue(_ house: Int64, isWriting: Bool) -> Bool { house - kept >= (isWriting ? 1000 : 10_000) }

    /// It is on the disk.
    mutating func hasKept(_ house: Int64) { kept = house }
}
