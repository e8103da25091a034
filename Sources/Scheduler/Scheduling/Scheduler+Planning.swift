// What runs for a delivery. The project's rules say which jobs; brokerd, asked about each, says with which trust and
// secrets, and refuses what is not the project's. A job is made when its ticket is there: until then the delivery
// remembers that it is to be.

import Daemon
import ForgeModel
import JobModel
import JobWire
import Link
import ProjectModel
import Store
import TrustModel
import TrustWire
import Wire

extension Scheduler {
    /// Jobs that brokerd is asked about at once, after a start or a loss of the link.
    private static let vouchesAtOnce = 256

    func plan(_ unit: UnitOfWork, _ id: UInt64, _ word: DeliveryWord) throws {
        guard let row = try unit.rows.project(word.project, word.revision, at: unit.now) else {
            return try unit.rows.setDelivery(id, .refused, "the project's rules have changed since; send it again")
        }
        guard let event = word.event.event else {
            return try unit.rows.setDelivery(id, .idle, Self.whyIdle(word.event))
        }
        let project = try StoredProject.read(row.document)
        var approval: Approval?
        if case .change(let change) = event { approval = try follow(unit, change, of: project) }
        switch project.plan(for: event, files: nil, approval: approval, PolicyRevision(digest: row.revision.array)) {
        case .nothing(let idle): try unit.rows.setDelivery(id, .idle, idle.rawValue)
        case .jobs(let work): try begin(unit, id, word, work)
        }
    }

    private static func whyIdle(_ event: ForgeEvent) -> String {
        switch event {
        case .approval:
            "approvals by comment need courierd, which does not run here; use `bulkhead approve JOB`"
        default: "nothing runs for it"
        }
    }

    /// News of a change: what waited for an approval of older commits waits no longer, and an approval of them is
    /// gone. The one that still holds.
    private func follow(_ unit: UnitOfWork, _ change: Change, of project: Project) throws -> Approval? {
        let name = project.rules.name
        let isOver = change.action == .closed || change.action == .merged
        // What is planned anew for the same commits takes the place of what waits for them.
        let isAnew = [.opened, .reopened, .updated].contains(change.action)
        for delivery in try unit.rows.heldDeliveries(of: name, number: change.number) {
            guard case .change(let older) = delivery.word.event,
                isOver || isAnew || Change(older).head.commit != change.head.commit
            else { continue }
            for (_, job, _) in try unit.rows.deliveryJobs(delivery.id) {
                if let job { _ = try cancel(unit, job: job, graceSeconds: 0) }
            }
            try unit.rows.setDelivery(delivery.id, .idle, isOver ? "the change is closed" : "the change has gone on")
        }
        guard let word = try unit.rows.approval(name, number: change.number) else { return nil }
        guard let approval = Approval(word), approval.survives(change) else {
            try unit.rows.forgetApproval(name, number: change.number)
            return nil
        }
        return approval
    }

    private func begin(_ unit: UnitOfWork, _ id: UInt64, _ word: DeliveryWord, _ work: Plan.Work) throws {
        var remarks: [String] = []
        var count = 0
        for job in work.jobs {
            guard case .written(let file) = job.definition else {
                remarks.append("job '\(job.name)': files of the repository need courierd, which does not run here")
                continue
            }
            let missing = work.missingSecrets(of: file)
            if !work.decision.isHeld, let name = missing.first {
                remarks.append("job '\(job.name)' does not run: secret '\(name)' is not there for this event")
                continue
            }
            let definition = try file.definition(source: nil)
            try SpecCheck.check(definition)
            let held = work.decision.isHeld ? try hold(unit, word, job.name, definition) : nil
            try unit.rows.addDeliveryJob(id, job.name, job: held, open: held == nil)
            count += 1
        }
        let state: SchedulerEdge.DeliveryState = count == 0 ? .idle : work.decision.isHeld ? .held : .waits
        try unit.rows.setDelivery(id, state, remarks.joined(separator: "; "))
        if state == .waits { unit.afterCommit { self.vouchForDeliveries() } }
    }

    private func hold(
        _ unit: UnitOfWork, _ word: DeliveryWord, _ name: String, _ definition: JobDefinition
    ) throws -> UInt64 {
        let (job, _) = try unit.rows.submit(
            requestID: Self.requestID(word, name), definition: definition, ticket: nil, at: unit.now, house: unit.house)
        try highWater?.cover(job: job)
        return job
    }

    /// Nobody outside knows the MAC, so nobody can take this name before us.
    private static func requestID(_ word: DeliveryWord, _ name: String) -> String {
        "\(word.mac.hex.prefix(40))-\(hash(Array(name.utf8)).hex.prefix(16))"
    }

    // MARK: tickets

    /// brokerd is asked about every job that is still to be made, or to be released.
    func vouchForDeliveries() {
        batch.question("jobs of deliveries", fail: { self.log.warning("deliveries wait", ["why": $0.text]) }) { unit in
            let open = try unit.rows.openDeliveryJobs(limit: Self.vouchesAtOnce)
            // By delivery: its jobs stand one after the other, and its project is read once for all of them.
            var last: (row: DeliveryRow, project: Project?, approval: ApprovalWord?)?
            for job in open where !self.vouching.contains(job) {
                if last?.row.id != job.delivery {
                    last = try unit.rows.delivery(job.delivery).map {
                        (
                            $0, try Self.project(unit, of: $0.word),
                            try unit.rows.approval($0.project, number: $0.number)
                        )
                    }
                }
                guard let (row, project, approval) = last, row.id == job.delivery else { continue }
                let definition = try project.flatMap { try Self.definition($0, job.name) }
                unit.afterCommit { self.vouch(job, row.word, approval, definition) }
            }
        }
    }

    /// nil: it has changed since.
    private static func project(_ unit: UnitOfWork, of word: DeliveryWord) throws -> Project? {
        guard let row = try unit.rows.project(word.project), row.revision == word.revision else { return nil }
        return try StoredProject.read(row.document)
    }

    private static func definition(_ project: Project, _ name: String) throws -> JobDefinition? {
        guard case .written(let file)? = project.jobs.first(where: { $0.name == name })?.definition else { return nil }
        return try file.definition(source: nil)
    }

    private func vouch(
        _ job: OpenDeliveryJob, _ word: DeliveryWord, _ approval: ApprovalWord?, _ definition: JobDefinition?
    ) {
        guard vouching.insert(job).inserted else { return }
        guard let definition else {
            return close(job, Failure(.conflict, "the project's rules have changed since"))
        }
        let request = BrokerEdge.VouchEvent(
            delivery: word, approval: approval, file: nil, base: "", job: job.name, definition: definition)
        broker.vouchEvent(request) { [weak self] result in
            guard let self else { return }
            switch result {
            case .success(let ticket): make(job, word, definition, ticket)
            case .failure(let failure):
                if failure.errorCode.retry == .later, failure.errorCode != .notReady {
                    vouching.remove(job)
                    return vouchLater()
                }
                close(job, failure)
            }
        }
    }

    /// What was asked about a job is written. Those behind the first ones get their turn when these are through.
    private func answered(_ unit: UnitOfWork, _ job: OpenDeliveryJob) {
        unit.afterCommit {
            self.vouching.remove(job)
            if self.vouching.isEmpty { self.vouchForDeliveries() }
        }
    }

    private func vouchLater() {
        arm(.deliveries, after: settings.retryLongest) { $0.vouchForDeliveries() }
    }

    private func make(_ job: OpenDeliveryJob, _ word: DeliveryWord, _ definition: JobDefinition, _ ticket: Ticket) {
        guard Self.hash(definition) == ticket.definition, ticket.project == definition.project else {
            return close(job, Failure(.internal, "brokerd vouched for something else"))
        }
        batch.event("job of a delivery") { [weak self] unit in
            guard let self else { return }
            var made = job.job
            if let held = job.job {
                try release(unit, held, ticket)
            } else {
                let request = Self.requestID(word, job.name)
                made = try unit.rows.job(ofRequest: request) ?? insert(unit, request, definition, ticket)
            }
            try unit.rows.closeDeliveryJob(job.delivery, job.name, job: made)
            try settle(unit, job.delivery, "")
            answered(unit, job)
        }
    }

    /// HELD to QUEUED, and only now in its group's way; nothing if it was cancelled meanwhile.
    private func release(_ unit: UnitOfWork, _ id: UInt64, _ ticket: Ticket) throws {
        guard let job = try unit.rows.job(id), job.state == .held else { return }
        try unit.rows.giveTicket(ticket, toJob: id)
        if let older = try replacement(unit, by: id) { try follow(unit, [older]) }
        if try !joinQueue(unit, job, on: .approved) { unit.dispatchNext() }
    }

    /// It will not be.
    private func close(_ job: OpenDeliveryJob, _ failure: Failure) {
        log.warning("no job for a delivery", ["delivery": "\(job.delivery)", "why": failure.text])
        batch.event("no job for a delivery") { [weak self] unit in
            guard let self else { return }
            try unit.rows.closeDeliveryJob(job.delivery, job.name)
            if let held = job.job { _ = try cancel(unit, job: held, graceSeconds: 0) }
            try settle(unit, job.delivery, "job '\(job.name)' does not run: \(failure.text)")
            answered(unit, job)
        }
    }

    /// When nothing of it is open any more it is done.
    private func settle(_ unit: UnitOfWork, _ delivery: UInt64, _ remark: String) throws {
        guard let row = try unit.rows.delivery(delivery) else { return }
        let jobs = try unit.rows.deliveryJobs(delivery)
        let text = [row.text, remark].filter { !$0.isEmpty }.joined(separator: "; ")
        let isOpen = jobs.contains(where: \.open)
        let state: SchedulerEdge.DeliveryState =
            isOpen ? row.state : jobs.contains { $0.job != nil } ? .planned : .refused
        try unit.rows.setDelivery(delivery, state, text)
    }
}
