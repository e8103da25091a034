// What a non-blocking read or write can come to; errors are thrown.

/// The outcome of a read.
package enum ReadOutcome: Equatable, Sendable {
    /// This many bytes, at least one.
    case bytes(Int)
    case endOfFile
    case wouldBlock
}

/// The outcome of a write.
package enum WriteOutcome: Equatable, Sendable {
    /// This many bytes were taken, perhaps fewer than were offered.
    case bytes(Int)
    case wouldBlock
}
