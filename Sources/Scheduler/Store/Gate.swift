// What keeps a QUEUED job out of the line, if anything does.

/// The numbers are stored.
package enum Gate: Int64, Sendable {
    /// It may be dispatched.
    case open = 0
    /// Another job of its group is at work, or is before it.
    case group = 1
    /// The container of its last attempt is not seen to be gone: never two attempts at once.
    case fence = 2
    /// The host lacks one of its tags.
    case tags = 3
}
