// Cascade: what follows from the end of a job, or from a new one, for others: for those that wait for it, for those of
// its group. A project can have so many that nobody would be answered while all of them are written in one commit, so
// one commit has some of them, and the rest follows in the next ones.

import Wire

/// What is still to be looked at.
enum Cascade: Equatable {
    /// Those that wait for this job, which has ended; beyond `after`.
    case needs(of: UInt64, after: UInt64)
    /// Those of a group that are older than a new job and give way to it, if they are trusted no more than that.
    case replaced(by: UInt64, trust: Trust, project: String, group: String)
    /// The next of a group, and the one after that if it is no hindrance.
    case group(String, project: String)
    /// After a start: every job that waits for others; beyond `after`.
    case blocked(after: UInt64)
    /// After a start: every job that waits for its group; beyond `after`.
    case grouped(after: UInt64)

    /// Jobs that one unit of work may look at for the sake of others.
    static let limit = 256
}
