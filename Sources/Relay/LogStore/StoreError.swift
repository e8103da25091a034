// What can go wrong in relayd's store. The handlers turn these into error frames.

package import Posix

package enum StoreError: Error, Equatable, Sendable {
    /// No space left: the caller keeps what it has and tries again.
    case full
    case notFound
    case exists
    /// The attempt exists with other contents.
    case conflict(String)
    /// More bytes than were announced.
    case tooLarge
    /// Fewer bytes than were announced.
    case incomplete
    case system(PosixError)

    // Linux numbers, the same on all platforms that Bulkhead runs on.
    private static let noEntry: Int32 = 2
    private static let alreadyExists: Int32 = 17
    private static let noSpace: Int32 = 28
    private static let quotaExceeded: Int32 = 122

    private static let noMemory: Int32 = 12
    private static let tooManyFilesHere: Int32 = 23
    private static let tooManyFiles: Int32 = 24

    /// It says nothing about the file that it happened to.
    var isOfTheMachine: Bool {
        switch self {
        case .full: true
        case .system(let error): [Self.noMemory, Self.tooManyFilesHere, Self.tooManyFiles].contains(error.errno)
        default: false
        }
    }

    package init(_ error: PosixError) {
        switch error.errno {
        case Self.noEntry: self = .notFound
        case Self.alreadyExists: self = .exists
        case Self.noSpace, Self.quotaExceeded: self = .full
        default: self = .system(error)
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
