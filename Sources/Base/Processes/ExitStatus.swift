// How a process ended.

/// The end of a process.
package enum ExitStatus: Equatable, Sendable {
    /// 0 to 255.
    case exited(Int32)
    /// Ended by this signal.
    case signalled(Int32)

    /// As a shell says it: 0 to 255, or 128 + signal.
    package var code: UInt16 {
        switch self {
        case .exited(let code): UInt16(clamping: code)
        case .signalled(let signal): UInt16(clamping: 128 + signal)
        }
    }
}

/// A child that has ended and been reaped.
package struct Reaped: Equatable, Sendable {
    package let pid: Int32
    package let status: ExitStatus
}
