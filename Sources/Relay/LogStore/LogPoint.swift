// Where the log of an attempt stands among the records of its runner.

/// Without masks that is a record's number. A masker holds bytes back, and so the log may end in the middle of a
/// record: the runner, which repeats that record after a kill, gets only the number, and the rest is for relayd itself.
package struct LogPoint: Equatable, Sendable {
    /// The last record of which everything is in the log.
    package var number: UInt64
    /// How many bytes of the record behind it are in the log, too.
    package var ahead: UInt32
    /// How many bytes from there on are masked, whatever follows: a mask in the log is theirs, too.
    package var covered: UInt32
    /// The log ends in a mask that what follows may belong to.
    package var isOpen: Bool

    package init(number: UInt64, ahead: UInt32 = 0, covered: UInt32 = 0, isOpen: Bool = false) {
        self.number = number
        self.ahead = ahead
        self.covered = covered
        self.isOpen = isOpen
    }
}
