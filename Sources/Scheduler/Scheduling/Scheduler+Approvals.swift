// Held jobs: what somebody would approve, and what follows when he has, by an order or by a comment or a button at the
// forge. Whether he may, and whether the change still is what he has looked at, brokerd decides.

import Daemon
import JobWire
import Link
import Store
import TrustWire
import Wire

/// A job that waits for an approval.
struct HeldJob {
    let delivery: DeliveryRow
    let change: ChangeEvent

    var base: String { change.base.commit.isEmpty ? delivery.base?.commit ?? "" : change.base.commit }

    var reply: SchedulerEdge.GetHeld.Reply {
        .init(
            project: delivery.project, number: change.number, head: change.head.commit, base: base,
            branch: change.base.branch, revision: delivery.word.revision, author: change.author.name)
    }
}

extension Scheduler {
    static func held(_ unit: UnitOfWork, _ id: UInt64) throws -> HeldJob {
        guard let job = try unit.rows.job(id) else { throw Failure.noSuchJob(id) }
        guard job.state == .held, let delivery = try unit.rows.delivery(ofJob: id),
            case .change(let change) = delivery.word.event
        else {
            throw Failure(.conflict, "job \(id) does not wait for an approval; it is \(job.state.label)", place: "job")
        }
        return HeldJob(delivery: delivery, change: change)
    }

    func approve(_ request: SchedulerEdge.ApproveJob, _ responder: Responder<SchedulerEdge.ApproveJob.Reply>) {
        let matter = Matter.job(request.job)
        admit("approve", request.token, to: .approve, matter, fail: { responder.fail($0) }) { unit, _ in
            let held = try Self.held(unit, request.job)
            unit.afterCommit {
                self.broker.approve(
                    BrokerEdge.Approve(
                        token: request.token, order: request.order, asks: nil, may: nil, change: held.delivery.word,
                        base: held.delivery.base)
                ) { result in
                    switch result {
                    case .failure(let failure): responder.fail(Self.refusal(of: failure))
                    case .success(let word):
                        self.batch.request("approval", fail: { responder.fail($0) }) { unit in
                            let jobs = try self.keep(unit, word, held.delivery.id)
                            unit.afterCommit { responder.reply(.init(jobs: UInt16(clamping: jobs))) }
                        }
                    }
                }
            }
        }
    }

    /// How many jobs it releases.
    private func keep(_ unit: UnitOfWork, _ word: ApprovalWord, _ delivery: UInt64) throws -> Int {
        guard let row = try unit.rows.delivery(delivery), row.state == .held else {
            throw Failure(.conflict, "the change has gone on meanwhile", place: "job")
        }
        try unit.rows.keepApproval(word)
        try unit.rows.openDeliveryJobs(of: delivery)
        try unit.rows.setDelivery(delivery, .waits, "approved by \(word.by)")
        unit.afterCommit { self.goOnWithDeliveries() }
        return try unit.rows.deliveryJobs(delivery).count(where: \.open)
    }

    /// What waits for an approval under rules that hold no longer: nobody could approve it. nil: the project is gone.
    func endOutdated(_ unit: UnitOfWork, of project: String, but revision: Bytes32?) throws {
        for row in try unit.rows.heldDeliveries(of: project) where row.word.revision != revision {
            try endHeld(unit, row, "the project's rules have changed")
        }
    }

    func endHeld(_ unit: UnitOfWork, _ row: DeliveryRow, _ why: String) throws {
        for (_, job, _) in try unit.rows.deliveryJobs(row.id) {
            if let job, try unit.rows.job(job)?.state == .held { _ = try cancel(unit, job: job, graceSeconds: 0) }
        }
        try unit.rows.setDelivery(row.id, .idle, why)
    }

    // MARK: by a comment or a button

    /// The delivery says who asks for it, and for which commits; the forge, asked now, what he may do.
    func askToApprove(_ row: DeliveryRow) {
        guard case .approval(let wish) = row.word.event, let repository = row.word.event.repository else {
            return endApproval(row, Failure(.invalid, "it asks for no approval"))
        }
        // First of all: a comment about what nobody waits for costs the forge no question.
        batch.question("approval", fail: { self.endApproval(row, $0) }) { unit in
            let held = try Self.held(unit, row.project, wish)
            let place = CourierEdge.ForgePlace(project: row.project, repository: repository.wire)
            unit.afterCommit { self.askForChange(row, wish, place, held.number) }
        }
    }

    /// As it is now: the delivery that waits may be one of weeks ago.
    private func askForChange(
        _ row: DeliveryRow, _ wish: ApprovalEvent, _ place: CourierEdge.ForgePlace, _ number: UInt64
    ) {
        guard courier.isReady else { return endApproval(row, Failure(.disconnected, "courierd is away")) }
        courier.askChange(.init(place: place, number: number)) { result in
            switch result {
            case .failure(let failure): self.endApproval(row, failure)
            case .success(let reply):
                guard let base = reply.base, ![.closed, .merged].contains(reply.change.action) else {
                    return self.endApproval(row, Failure(.conflict, "the change is closed, or compared with nothing"))
                }
                self.askForPermission(row, wish, place, base)
            }
        }
    }

    private func askForPermission(
        _ row: DeliveryRow, _ wish: ApprovalEvent, _ place: CourierEdge.ForgePlace, _ base: BaseWord
    ) {
        guard courier.isReady else { return endApproval(row, Failure(.disconnected, "courierd is away")) }
        courier.askPermission(.init(place: place, account: wish.by)) { result in
            switch result {
            case .failure(let failure): self.endApproval(row, failure)
            case .success(let may): self.approve(row, wish, may, base)
            }
        }
    }

    /// What the wish is about. A button names commits alone.
    private static func held(_ unit: UnitOfWork, _ project: String, _ wish: ApprovalEvent) throws -> DeliveryRow {
        let pending =
            wish.number == 0
            ? try unit.rows.heldDeliveries(of: project)
            : try unit.rows.pendingDeliveries(of: project, number: wish.number)
        let mine = pending.filter {
            guard case .change(let change) = $0.word.event else { return false }
            return change.head.commit == wish.head
        }
        if let held = mine.first(where: { $0.state == .held }) { return held }
        throw mine.isEmpty
            ? Failure(.notFound, "no job of these commits waits for an approval")
            : Failure(.notReady, "the change is still on its way")
    }

    private func approve(_ row: DeliveryRow, _ wish: ApprovalEvent, _ may: PermissionWord, _ base: BaseWord) {
        batch.question("approve", fail: { self.endApproval(row, $0) }) { unit in
            let held = try Self.held(unit, row.project, wish)
            unit.afterCommit {
                self.broker.approve(
                    BrokerEdge.Approve(
                        token: "", order: nil, asks: row.word, may: may, change: held.word, base: base)
                ) { result in
                    switch result {
                    case .failure(let failure): self.endApproval(row, failure)
                    case .success(let word): self.endApproval(row, word, held.id, base)
                    }
                }
            }
        }
    }

    private func endApproval(_ row: DeliveryRow, _ word: ApprovalWord, _ held: UInt64, _ base: BaseWord) {
        batch.request("approval", fail: { self.endApproval(row, $0) }) { unit in
            // It may have been asked about twice, around a loss of the link.
            if try unit.rows.delivery(row.id)?.state == .waits {
                let jobs = try self.keep(unit, word, held)
                // What was approved is what is run: a base that is asked for may have moved.
                try unit.rows.setBase(held, base)
                try unit.rows.closeDeliveryJob(row.id, Self.approvalName)
                try unit.rows.setDelivery(
                    row.id, .planned,
                    "approved change \(word.number) at \(word.head) into \(word.branch): \(jobs) jobs released")
            }
            unit.afterCommit { self.release(row.id) }
        }
    }

    private func endApproval(_ row: DeliveryRow, _ failure: Failure) {
        // The change it is about is still on its way, or courierd has enough to do.
        if failure.errorCode == .notReady || failure.errorCode == .limitReached {
            return release(row.id, after: settings.basePause)
        }
        if failure.errorCode.retry == .later {
            rest(row.project, failure)
            return release(row.id)
        }
        log.warning("not approved", ["delivery": "\(row.id)", "project": row.project, "why": failure.text])
        batch.event("not approved") { unit in
            if try unit.rows.delivery(row.id)?.state == .waits {
                try unit.rows.closeDeliveryJob(row.id, Self.approvalName)
                try unit.rows.setDelivery(row.id, .refused, "not approved: \(failure.text)")
            }
            unit.afterCommit { self.release(row.id) }
        }
    }
}
