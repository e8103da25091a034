// How a process ended.

/// The end of a process.
package enum ExitStatus: Equatable, Sendable {
    case exited(Int32)
    /// Ended by this signal.
    case signalled(Int32)
}

/// A child that has ended and been reaped.
package struct Reaped: Equatable, Sendable {
    package let pid: Int32
    package let status: ExitStatus
}
