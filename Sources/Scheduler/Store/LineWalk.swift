// One way through the lines, from first to last: what was passed by is not looked at again. That is enough while a pass
// of the dispatcher lasts, since what is free only becomes less in it, and a project that is served moves back.

/// How far one look at the queue has come.
package struct LineWalk: Sendable {
    /// Whoever makes every job of another kind must not make every look at the queue as long as it is.
    package static let limit = 4096

    /// The last line that was looked at; nil: none.
    package internal(set) var last: Line?
    /// Lines that have been looked at.
    package internal(set) var count = 0
    let most: Int

    /// `last`: where an earlier walk came to its limit.
    package init(after last: Line? = nil, limit: Int = Self.limit) {
        self.last = last
        most = limit
    }

    /// It ended before the lines did.
    package var isCut: Bool { count >= most }
}
