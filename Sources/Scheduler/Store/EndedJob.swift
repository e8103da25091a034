// A job that retention may remove, and its place among them.

package struct EndedJob: Equatable, Sendable {
    package let id: UInt64
    /// Milliseconds since 1970.
    package let finishedMs: Int64
}
