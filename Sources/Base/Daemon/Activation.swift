// Sockets that the process graph made for us (LISTEN_FDS, as systemd and `bulkhead up` pass them). Daemons never bind:
// they need neither the right to, nor the directory.
package import Posix
import Synchronization

/// Why there is no socket of that name.
package enum ActivationError: Error, Equatable, Sendable {
    /// Started by hand, or the variables are for another process, or make no sense: `why` says which.
    case notActivated(why: String)
    /// No socket of this name was passed (or it was taken already); `passed` are the names that were.
    case missing(String, passed: [String])
    /// What was passed under this name is not a listening socket of the wanted family.
    case wrongKind(String)
    case system(PosixError)
}

/// The family of a listening socket.
package enum ListenerKind: Sendable {
    case unix
    /// IPv4 or IPv6.
    case tcp
}

/// The listening sockets of this process.
package enum Activation {
    private static let table = Mutex<[String: Int32]?>(nil)

    /// Takes the socket `name`, close-on-exec and non-blocking; each can be taken once.
    package static func listener(
        _ name: String, _ kind: ListenerKind = .unix
    ) throws(ActivationError) -> FileDescriptor {
        try checked(FileDescriptor(owning: try take(name)), name, kind)
    }

    /// A listening socket of this kind, or nothing: then it is closed.
    package static func checked(
        _ descriptor: consuming FileDescriptor, _ name: String, _ kind: ListenerKind
    ) throws(ActivationError) -> FileDescriptor {
        let raw = descriptor.raw
        do {
            guard case .streamSocket(let family, listening: true) = try Posix.descriptorKind(raw),
                kind == .unix ? family == .unix : family == .ipv4 || family == .ipv6
            else { throw ActivationError.wrongKind(name) }
            try Posix.setCloseOnExec(raw)
            try Posix.setNonBlocking(raw)
        } catch let error as PosixError {
            throw .system(error)
        } catch {
            throw .wrongKind(name)
        }
        return descriptor
    }

    /// The names and numbers that the environment passes to process `pid`. Pure, for tests.
    package static func passed(
        to pid: Int32, environment: (String) -> String?
    ) throws(ActivationError) -> [String: Int32] {
        guard let count = environment("LISTEN_FDS").flatMap({ Int32($0) }), (1...64).contains(count) else {
            throw .notActivated(why: "LISTEN_FDS is not set: the daemon is started by systemd or by `bulkhead up`")
        }
        // Variables meant for a parent must not turn some other descriptor of ours into a listener.
        guard environment("LISTEN_PID") == "\(pid)" else {
            throw .notActivated(why: "LISTEN_PID is not the number of this process")
        }
        let names = (environment("LISTEN_FDNAMES") ?? "").split(separator: ":", omittingEmptySubsequences: false)
        guard names.count == Int(count), Set(names).count == names.count else {
            throw .notActivated(why: "LISTEN_FDNAMES must name each of the \(count) sockets differently")
        }
        return Dictionary(uniqueKeysWithValues: names.enumerated().map { (String($1), Int32(3 + $0)) })
    }

    private static func take(_ name: String) throws(ActivationError) -> Int32 {
        let taken = table.withLock { table -> Result<Int32, ActivationError> in
            do throws(ActivationError) {
                var left: [String: Int32]
                if let table {
                    left = table
                } else {
                    left = try passed(to: Posix.processID, environment: Posix.environment)
                }
                let raw = left.removeValue(forKey: name)
                table = left
                return raw.map { .success($0) } ?? .failure(.missing(name, passed: left.keys.sorted()))
            } catch {
                return .failure(error)
            }
        }
        return try taken.get()
    }
}

extension ActivationError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .notActivated(let why): why
        case .missing(let name, let passed): "no socket `\(name)` was passed, only: \(passed.joined(separator: ", "))"
        case .wrongKind(let name): "`\(name)` is not a listening socket of the right family"
        case .system(let error): "\(error)"
        }
    }
}
