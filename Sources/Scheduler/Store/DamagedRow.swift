// A row that cannot be read: what it concerns, so that this can be given up and everything else goes on.

package import Wire

/// One row that holds what we never write.
package struct DamagedRow: Equatable, Sendable {
    /// Who is concerned.
    package enum Subject: Equatable, Sendable {
        /// The job's own row.
        case job(UInt64)
        /// What the job is to run; its row is readable.
        case spec(ofJob: UInt64)
        /// Keys as they are in the database.
        case attempt(job: Int64, number: Int64)
        case runner(Bytes16)
        /// Key of `shapes`.
        case shape(Int64)
    }

    /// nil: nobody can be named, or nobody's work depends on it.
    package let subject: Subject?
    /// For the log.
    package let what: String

    package init(_ subject: Subject?, _ what: String) {
        self.subject = subject
        self.what = what
    }
}
