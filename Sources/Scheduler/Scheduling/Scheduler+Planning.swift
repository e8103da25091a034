// Which jobs run for a delivery: the project's rules say so, in the same commit that writes it. Until a job is there
// the delivery remembers that it is to be; what each still needs Errands finds.

import ForgeModel
import ProjectModel
import Store
import TrustModel
import TrustWire
import Wire

extension Scheduler {
    /// The name under which a delivery that asks for an approval is open: no job has it.
    static let approvalName = ""

    func plan(_ unit: UnitOfWork, _ id: UInt64, _ word: DeliveryWord) throws {
        guard let row = try unit.rows.project(word.project, word.revision, at: unit.now) else {
            return try unit.rows.setDelivery(id, .refused, "the project's rules have changed since; send it again")
        }
        let project = try StoredProject.read(row.document)
        if case .approval = word.event { return try open(unit, id, [Self.approvalName]) }
        if case .hint = word.event { unit.afterCommit { self.gitlab.hint(word.project) } }
        guard let event = word.event.event else { return try unit.rows.setDelivery(id, .idle, "nothing runs for it") }
        if case .change(let change) = event {
            if try isOvertaken(unit, id, change, project.rules.name) {
                return try unit.rows.setDelivery(id, .idle, "the change has gone on")
            }
            try follow(unit, change, of: project)
        }
        // Which files changed is not known yet, and no job is left out for them.
        let approval = try approval(unit, on: event, of: project)
        switch project.plan(for: event, files: nil, approval: approval, PolicyRevision(digest: row.revision.array)) {
        case .nothing(let idle): try unit.rows.setDelivery(id, .idle, idle.rawValue)
        case .jobs(let work): try open(unit, id, work.jobs.map(\.name))
        }
    }

    /// Of a delivery that was refused, whose jobs may be possible now. What is a job already stays one.
    func planAgain(_ unit: UnitOfWork, _ id: UInt64, _ word: DeliveryWord) throws {
        try unit.rows.renewDelivery(id, word)
        try plan(unit, id, word)
    }

    private func open(_ unit: UnitOfWork, _ id: UInt64, _ names: [String]) throws {
        for name in names { try unit.rows.addDeliveryJob(id, name) }
        try unit.rows.setDelivery(id, .waits, "")
        unit.afterCommit { self.goOnWithDeliveries() }
    }

    /// The one on record for a change, if there is one.
    func approval(_ unit: UnitOfWork, on event: Event, of project: Project) throws -> Approval? {
        guard case .change(let change) = event else { return nil }
        return try unit.rows.approval(project.rules.name, number: change.number).flatMap { Approval($0) }
    }

    /// It is an old one that was sent again, and a later one has told of other commits or another branch.
    private func isOvertaken(_ unit: UnitOfWork, _ id: UInt64, _ change: Change, _ project: String) throws -> Bool {
        guard let newest = try unit.rows.newestDelivery(ofChange: change.number, of: project), newest.id > id,
            case .change(let later) = newest.word.event
        else { return false }
        return later.head.commit != change.head.commit?.hex || !change.goes(into: later.base.branch)
    }

    /// News of a change: what has not begun of its older commits never will, and an approval of them is gone.
    private func follow(_ unit: UnitOfWork, _ change: Change, of project: Project) throws {
        let name = project.rules.name
        let isOver = change.action == .closed || change.action == .merged
        // What is planned anew for the same commits takes the place of what waits for them.
        let isAnew = [.opened, .reopened, .updated].contains(change.action)
        for delivery in try unit.rows.pendingDeliveries(of: name, number: change.number) {
            guard case .change(let older) = delivery.word.event,
                isOver || isAnew || Change(older).head.commit != change.head.commit
            else { continue }
            for (jobName, job, open) in try unit.rows.deliveryJobs(delivery.id) {
                if open { try unit.rows.closeDeliveryJob(delivery.id, jobName) }
                if let job, try unit.rows.job(job)?.state == .held {
                    _ = try cancel(unit, job: job, graceSeconds: 0)
                }
            }
            try unit.rows.setDelivery(delivery.id, .idle, isOver ? "the change is closed" : "the change has gone on")
        }
        guard let word = try unit.rows.approval(name, number: change.number) else { return }
        guard let approval = Approval(word), approval.survives(change) else {
            return try unit.rows.forgetApproval(name, number: change.number)
        }
    }
}
