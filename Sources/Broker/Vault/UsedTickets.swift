// Which job each ticket was used for, and which attempt each grant. Recovered from the audit log at the start: the record is on disk
// before the release, so nothing that was released is ever forgotten.

package import Wire

/// What makes a replay visible.
package struct UsedTickets {
    /// A ticket lives 7 days from an order that is at most minutes older or younger; one day more forgives every clock.
    private static let lifetimeMs: Int64 = 8 * 24 * 3600 * 1000

    private struct Use {
        var job: UInt64
        var time: Int64
    }

    private var jobs: [Bytes16: Use] = [:]
    private var attempts: [Bytes16: Attempt] = [:]

    package init() {}

    package func job(of ticket: Bytes16) -> UInt64? { jobs[ticket]?.job }
    package func attempt(of grant: Bytes16) -> Attempt? { attempts[grant] }

    package mutating func note(ticket: Bytes16, grant: Bytes16, attempt: Attempt, at time: Int64) {
        jobs[ticket] = Use(job: attempt.job, time: time)
        attempts[grant] = attempt
    }

    /// The grant's directory is gone, and its name never comes again.
    package mutating func forget(grant: Bytes16) {
        attempts[grant] = nil
    }

    /// Tickets that are too old to be used at all need not be remembered.
    mutating func forget(before now: Int64) {
        jobs = jobs.filter { now - $0.value.time < Self.lifetimeMs }
    }

    /// Of the grants, only those that still have a directory.
    package mutating func keep(grants: Set<Bytes16>) {
        attempts = attempts.filter { grants.contains($0.key) }
    }

    /// Everything of an older master key is dead anyway.
    package mutating func forgetAll() {
        jobs = [:]
        attempts = [:]
    }

    mutating func recover(_ record: AuditRecord) throws(VaultError) {
        switch record.event {
        case .rotated: forgetAll()
        case .grant, .grantAgain:
            let fields = record.fields
            guard let ticket = fields["ticket"].flatMap(Bytes16.init(hex:)),
                let grant = fields["grant"].flatMap(Bytes16.init(hex:)),
                let job = fields["job"].flatMap(UInt64.init), let number = fields["attempt"].flatMap(UInt32.init),
                let epoch = fields["epoch"].flatMap(UInt64.init)
            else { throw .damaged("record \(record.head.sequence) of the audit log says of no grant what it was") }
            let attempt = Attempt(job: job, attempt: number, epoch: epoch)
            note(ticket: ticket, grant: grant, attempt: attempt, at: record.time)
        default: break
        }
    }
}
