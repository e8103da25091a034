// What can go wrong in relayd's store. The handlers turn these into error frames.

package import Posix

package enum StoreError: Error, Equatable, Sendable {
    /// No space left: the caller keeps what it has and tries again.
    case full
    case notFound
    /// There is nothing to give, and why, for a person.
    case nothing(String)
    case exists
    /// The attempt exists with other contents.
    case conflict(String)
    /// More bytes than were announced.
    case tooLarge
    /// Fewer bytes than were announced.
    case incomplete
    /// There is more than one call does: it is to be called again.
    case unfinished
    case system(PosixError)

    /// It says nothing about the file that it happened to.
    var isOfTheMachine: Bool {
        switch self {
        case .full: true
        case .system(let error): error.isOfTheMachine
        default: false
        }
    }

    package init(_ error: PosixError) {
        if error.isMissing {
            self = .notFound
        } else if error.isTaken {
            self = .exists
        } else {
            self = error.isFull ? .full : .system(error)
        }
    }
}

/// Runs calls of the operating system and gives their errors the store's shape.
package func stored<Result: ~Copyable>(_ body: () throws(PosixError) -> Result) throws(StoreError) -> Result {
    do {
        return try body()
    } catch {
        throw StoreError(error)
    }
}
