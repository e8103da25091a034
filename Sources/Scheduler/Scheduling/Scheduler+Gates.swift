// What keeps a QUEUED job out of the line though there may be room: another job of its group, the container of its last
// attempt, a tag that this host lacks.

import Daemon
import JobModel
import Link
import Store
import Wire

extension Scheduler {
    /// Where a job that joins the queue has to wait. Fences first: they guard against two attempts at once.
    func regate(_ unit: UnitOfWork, job id: UInt64) throws {
        guard let job = try unit.rows.job(id), job.state == .queued else { return }
        // It holds its group no more.
        if try place(unit, job) == .tags, let group = job.group { try openGroup(unit, group, project: job.project) }
    }

    private func place(_ unit: UnitOfWork, _ job: JobRow) throws -> Gate {
        let gate = try gate(unit, job)
        try unit.rows.setGate(gate, ofJob: job.id)
        if gate == .open { unit.dispatchNext() }
        return gate
    }

    private func gate(_ unit: UnitOfWork, _ job: JobRow) throws -> Gate {
        if try unit.rows.isFenced(job.id) { return .fence }
        let schedule = try unit.rows.schedule(ofJob: job.id)
        if !schedule.tags.allSatisfy(settings.tags.contains) { return .tags }
        guard let group = job.group else { return .open }
        let holder = try unit.rows.holder(ofGroup: group, project: job.project, besides: job.id)
        return holder == nil ? .open : .group
    }

    /// A job of this group has ended, or was found to be no hindrance: the next one's turn. One by one, and not one
    /// inside the other: a group may be as long as the queue.
    func openGroup(_ unit: UnitOfWork, _ group: String, project: String) throws {
        try follow(unit, [.group(group, project: project)])
    }

    /// True: whose turn it is lacks a tag, and it is the next one's.
    func letNext(_ unit: UnitOfWork, ofGroup group: String, project: String) throws -> Bool {
        guard let next = try unit.rows.nextOfGroup(group, project: project), let job = try unit.rows.job(next),
            job.state == .queued
        else { return false }
        return try place(unit, job) == .tags
    }

    /// Seconds that a job has for its own clean-up when a newer one of its group replaces it.
    static let groupGrace: UInt32 = 10
}
