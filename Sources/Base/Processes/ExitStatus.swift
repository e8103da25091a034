// How a process ended.

/// The end of a process.
package enum ExitStatus: Equatable, Sendable {
    case exited(Int32)
    /// Ended by this signal.
    case signalled(Int32)

    /// As a shell says it: the status, or 128 and the signal.
    package var shellStatus: Int32 {
        switch self {
        case .exited(let status): status
        case .signalled(let signal): 128 + signal
        }
    }
}

/// A child that has ended and been reaped.
package struct Reaped: Equatable, Sendable {
    package let pid: Int32
    package let status: ExitStatus
}
