// The rest of a cascade, some jobs in each commit. What is left lives in memory alone: after a start every job that
// waits for others or for its group is looked at once, which finds what an earlier life did not come to.

import Daemon
import JobModel
import Link
import Posix
import Store
import Wire

extension Scheduler {
    /// As far as this unit may go; what is left is done by later ones.
    func follow(_ unit: UnitOfWork, _ cascades: [Cascade]) throws {
        var open = cascades
        while unit.cascadeLeft > 0, let next = open.popLast() {
            unit.cascadeLeft -= 1
            open += try step(unit, next)
        }
        if open.isEmpty { return }
        unit.afterCommit {
            // Each end of a group's job asks for the same.
            for cascade in open where self.cascades.last != cascade { self.cascades.append(cascade) }
            self.goOnWithCascades()
        }
    }

    /// What follows from this one, itself included if it is not done.
    private func step(_ unit: UnitOfWork, _ cascade: Cascade) throws -> [Cascade] {
        let limit = max(unit.cascadeLeft, 1)
        switch cascade {
        case .needs(let ended, let after):
            let waiting = try unit.rows.blocked(by: ended, after: after, limit: limit)
            unit.cascadeLeft -= waiting.count
            let rest = waiting.count < limit ? nil : waiting.last.map { Cascade.needs(of: ended, after: $0) }
            return (rest.map { [$0] } ?? []) + (try settle(unit, waiting))
        case .replaced(let job, let trust, let project, let group):
            // Each end has its group and those that need it looked at, too.
            let share = max(limit / 3, 1)
            let older = try unit.rows.older(inGroup: group, project: project, than: job, trust: trust, limit: share)
            unit.cascadeLeft -= older.count
            for id in older { _ = try cancel(unit, job: id, graceSeconds: Self.groupGrace, .replaced(by: job)) }
            return older.count < share ? [] : [cascade]
        case .group(let group, let project):
            return try letNext(unit, ofGroup: group, project: project) ? [cascade] : []
        case .blocked(let after):
            let waiting = try unit.rows.blocked(after: after, limit: limit)
            unit.cascadeLeft -= waiting.count
            let rest = waiting.last.map { [Cascade.blocked(after: $0)] } ?? []
            return rest + (try settle(unit, waiting)) + (try waiting.compactMap { try replacement(unit, by: $0) })
        case .grouped(let after):
            let waiting = try unit.rows.behindGroups(after: after, limit: limit)
            unit.cascadeLeft -= waiting.count
            let rest = waiting.last.map { [Cascade.grouped(after: $0)] } ?? []
            return rest + (try waiting.compactMap { try replacement(unit, by: $0) })
        }
    }

    /// What the ends of those lead to that are skipped.
    private func settle(_ unit: UnitOfWork, _ waiting: [UInt64]) throws -> [Cascade] {
        try waiting.filter { try settleNeeds(unit, of: $0) }.map { .needs(of: $0, after: 0) }
    }

    /// What a job does to its group that asks to replace others.
    func replacement(_ unit: UnitOfWork, by job: UInt64) throws -> Cascade? {
        guard let row = try unit.rows.job(job), let group = try unit.rows.schedule(ofJob: job).group,
            group.cancelInProgress
        else { return nil }
        return .replaced(by: job, trust: row.trust, project: row.project, group: group.name)
    }

    /// After whatever else there is to do: who asks for something is answered between two commits.
    private func goOnWithCascades() {
        guard !isFollowing, !cascades.isEmpty else { return }
        isFollowing = true
        loop.soon { [weak self] in
            guard let self else { return }
            let open = cascades
            batch.request("rest of a cascade", fail: { [weak self] in self?.notFollowed($0) }) { [weak self] unit in
                unit.afterCommit {
                    self?.cascades.removeFirst(open.count)
                    self?.isFollowing = false
                }
                try self?.follow(unit, open)
                unit.afterCommit { self?.goOnWithCascades() }
            }
        }
    }

    /// Nothing has happened. What is in the way, if it is not the disk, must not be in the way of all others.
    private func notFollowed(_ failure: Failure) {
        log.error("the rest of a cascade was not written", ["why": failure.text])
        if let last = cascades.popLast() { cascades.insert(last, at: 0) }
        arm(.cascade, after: settings.commitRetry) { scheduler in
            scheduler.isFollowing = false
            scheduler.goOnWithCascades()
        }
    }
}
