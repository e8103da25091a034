// What the audit log says that bears on the future: which job each ticket was used for, which attempt each grant, and
// when each secret last changed. Recovered at the start: a record is on disk before the release, so nothing that was
// released is ever forgotten.

package import Wire

/// What makes a replay visible, and a mask that would be of the wrong value.
package struct AuditMemory {
    /// A ticket lives 7 days from an order that is at most minutes older or younger; one day more forgives every clock.
    private static let lifetimeMs: Int64 = 8 * 24 * 3600 * 1000

    private struct Use {
        var job: UInt64
        var time: Int64
        /// Grants that it was given for the first time.
        var grants = 0
    }

    private struct Holder {
        var attempt: Attempt
        /// The record of its first grant.
        var record: UInt64
    }

    private var jobs: [Bytes16: Use] = [:]
    private var holders: [Bytes16: Holder] = [:]
    /// The last record that tells of a change of each secret, by project and name.
    private var changes: [String: UInt64] = [:]

    package init() {}

    package func job(of ticket: Bytes16) -> UInt64? { jobs[ticket]?.job }
    package func grants(of ticket: Bytes16) -> Int { jobs[ticket]?.grants ?? 0 }
    package func attempt(of grant: Bytes16) -> Attempt? { holders[grant]?.attempt }

    /// Whether the secret is what it was when this grant was first given.
    package func isUnchanged(_ project: String, _ name: String, since grant: Bytes16) -> Bool {
        guard let holder = holders[grant] else { return false }
        return changes[Self.key(project, name), default: 0] < holder.record
    }

    /// `again`: the grant had it already. `record`: the number of the record that says so.
    package mutating func note(
        ticket: Bytes16, grant: Bytes16, attempt: Attempt, again: Bool, at time: Int64, record: UInt64
    ) {
        let before = jobs[ticket]?.grants ?? 0
        jobs[ticket] = Use(job: attempt.job, time: time, grants: before + (again ? 0 : 1))
        if holders[grant]?.attempt != attempt { holders[grant] = Holder(attempt: attempt, record: record) }
    }

    package mutating func note(changed project: String, _ name: String, record: UInt64) {
        changes[Self.key(project, name)] = record
    }

    /// The grant's directory is gone, and its name never comes again.
    package mutating func forget(grant: Bytes16) {
        holders[grant] = nil
    }

    /// Tickets that are too old to be used at all need not be remembered.
    mutating func forget(before now: Int64) {
        jobs = jobs.filter { now - $0.value.time < Self.lifetimeMs }
    }

    /// Of the grants, only those that live.
    package mutating func keep(grants: Set<Bytes16>) {
        holders = holders.filter { grants.contains($0.key) }
    }

    /// Everything of an older master key is dead anyway.
    package mutating func forgetUses() {
        jobs = [:]
        holders = [:]
    }

    /// `generation`: the store's. A rotation is on record before it happens, and counts only if it did.
    mutating func recover(_ record: AuditRecord, generation: UInt32) throws(VaultError) {
        let fields = record.fields
        switch record.event {
        case .rotated:
            guard let reached = fields["generation"].flatMap(UInt32.init) else { throw Self.unreadable(record) }
            if reached <= generation { forgetUses() }
        case .secretSet, .secretRemoved:
            guard let project = fields["project"], let name = fields["secret"] else { throw Self.unreadable(record) }
            note(changed: project, name, record: record.head.sequence)
        case .grant, .grantAgain:
            guard let ticket = fields["ticket"].flatMap(Bytes16.init(hex:)),
                let grant = fields["grant"].flatMap(Bytes16.init(hex:)),
                let job = fields["job"].flatMap(UInt64.init), let number = fields["attempt"].flatMap(UInt32.init),
                let epoch = fields["epoch"].flatMap(UInt64.init)
            else { throw Self.unreadable(record) }
            note(
                ticket: ticket, grant: grant, attempt: Attempt(job: job, attempt: number, epoch: epoch),
                again: record.event == .grantAgain, at: record.time, record: record.head.sequence)
        default: break
        }
    }

    private static func unreadable(_ record: AuditRecord) -> VaultError {
        .damaged("record \(record.head.sequence) of the audit log does not say what it is about")
    }

    /// Neither has a slash in it.
    private static func key(_ project: String, _ name: String) -> String { "\(project)/\(name)" }
}
