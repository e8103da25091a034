// The numbers that bound what one peer can cost us. One value per process; tests pass smaller ones.

/// Limits of one connection. Sizes in bytes.
package struct LinkSettings: Sendable {
    /// Requests that we accept in flight (announced in Hello), and the most that we have in flight ourselves.
    package var window: UInt16
    /// A peer that has not said hello by then is not one of ours.
    package var helloDeadline: Duration
    /// What may wait for a peer that does not read, before the connection is closed. nil: a full window of the edge's
    /// largest frames and a mebibyte, so that a peer which keeps to its window can never meet it with replies alone.
    package var queueLimit: Int?
    /// Calls that may wait for the window or for the hello, on our side.
    package var waitingLimit: Int

    package init(
        window: UInt16 = 64, helloDeadline: Duration = .seconds(5), queueLimit: Int? = nil, waitingLimit: Int = 4_096
    ) {
        self.window = window
        self.helloDeadline = helloDeadline
        self.queueLimit = queueLimit
        self.waitingLimit = waitingLimit
    }

    /// The queue's limit for an edge.
    package func queueLimit(frameLimit: Int) -> Int {
        queueLimit ?? Int(window) * frameLimit + (1 << 20)
    }
}
