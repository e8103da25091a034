// What the store takes of one attempt, in bytes.

struct StoreLimits {
    /// Output; what follows is counted.
    let log: UInt64
    /// All files that it leaves; an archive in which they become more is dropped.
    let artifacts: UInt64
}
