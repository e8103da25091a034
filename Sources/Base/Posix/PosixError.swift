// The one error of this module. Everything above turns it into its own: a wire failure, an exit status, a line of the
// log.
import CLinux

/// What a call to the operating system can come to.
package enum PosixError: Error, Equatable, Sendable {
    /// A system call failed. `call` names it and, where there is one, the path: `open /run/bulkhead/x`.
    case system(call: String, errno: Int32)
    /// A message brought more descriptors than one may (or the kernel cut them); all of them have been closed.
    case truncatedDescriptors
    /// A path does not fit into a socket address (107 bytes), or holds a NUL.
    case badPath(String)
    /// Not an IPv4 or IPv6 address in digits.
    case badAddress(String)
    /// The descriptor is already in this loop.
    case alreadyWatched(Int32)
    /// The child could not become the program: at which step, and why.
    case spawn(stage: SpawnStage, errno: Int32)
    /// A file is larger than the caller allows, in bytes.
    case tooLarge(limit: Int)

    /// The number behind the error, 0 if it has none.
    package var errno: Int32 {
        switch self {
        case .system(_, let errno), .spawn(_, let errno): errno
        default: 0
        }
    }

    /// Throws for a negative result of CLinux (`-errno`); hands on any other.
    @inline(__always)
    package static func check(_ result: Int32, _ call: @autoclosure () -> String) throws(PosixError) -> Int32 {
        if result < 0 { throw .system(call: call(), errno: -result) }
        return result
    }

    /// The meaning of an errno with its name: `Permission denied (EACCES)`.
    package static func text(of errno: Int32) -> String {
        unsafe "\(String(cString: bh_error_text(errno))) (\(String(cString: bh_error_name(errno))))"
    }
}

/// Where a spawn failed, in the child.
package enum SpawnStage: Int32, Sendable {
    case fork = 1
    case descriptors
    case user
    case directory
    case privileges
    case exec
    case parentGone
}

extension PosixError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .system(let call, let errno): "\(call): \(Self.text(of: errno))"
        case .truncatedDescriptors: "a message with too many descriptors"
        case .badPath(let path): "not a usable path: \(path)"
        case .badAddress(let text): "not an IP address: \(text)"
        case .alreadyWatched(let raw): "descriptor \(raw) is already watched"
        case .spawn(let stage, let errno): "spawn failed at \(stage): \(Self.text(of: errno))"
        case .tooLarge(let limit): "larger than \(limit) bytes"
        }
    }
}
