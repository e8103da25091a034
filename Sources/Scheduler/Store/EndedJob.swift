// A job that retention may remove, and its place among them.

package struct EndedJob: Equatable, Sendable {
    package let id: UInt64
    /// In milliseconds of the house's time.
    package let endedAt: Int64
}
