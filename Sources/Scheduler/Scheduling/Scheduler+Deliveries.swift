// Webhooks come in: brokerd says whether one is genuine and what it says, and then it is written, once. What is to run
// for it Planning decides, in the same commit; who sent it is answered when all of that is durable.

import ForgeModel
import Link
import Posix
import Store
import TrustWire
import Wire

extension Scheduler {
    func addDeliveryHandlers(_ handlers: inout Handlers<SchedulerEdge>) {
        handlers.on(SchedulerEdge.Deliver.self) { [weak self] request, fds, responder in
            var fds = fds
            guard let body = fds.takeFirst() else { return responder.fail(Failure(.wrongFds, "no body came")) }
            let question = BrokerEdge.VerifyDelivery(
                forge: request.forge, project: request.project, headers: request.headers)
            self?.broker.verifyDelivery(question, body: body) { result in
                switch result {
                case .failure(let failure): responder.fail(Self.deliveryRefusal(of: failure))
                case .success(let word): self?.take(word, responder)
                }
            }
        }
        handlers.on(SchedulerEdge.ListDeliveries.self) { [weak self] request, _, responder in
            let project = request.project
            let (action, matter) =
                project.isEmpty ? (Action.seeHouse, Matter.house) : (.seeDeliveries, .project(project))
            self?.tell("list deliveries", request.token, to: action, matter, responder) {
                [weak self] unit, caller in
                guard let self else { throw Failure(.shuttingDown, "") }
                let limit = min(max(Int(request.limit), 1), 50)
                let projects = project.isEmpty ? caller.rights.visible : [project]
                let rows = try unit.rows.deliveries(of: projects, before: request.before, limit: limit)
                return .init(
                    deliveries: try rows.map { try self.summary(unit, $0) },
                    next: rows.count == limit ? rows.last?.id ?? 0 : 0)
            }
        }
        handlers.on(SchedulerEdge.GetHeld.self) { [weak self] request, _, responder in
            self?.tell("get held", request.token, to: .seeJobs, .job(request.job), responder) { unit, _ in
                try Self.held(unit, request.job).reply
            }
        }
        handlers.on(SchedulerEdge.ApproveJob.self) { [weak self] request, _, responder in
            self?.approve(request, responder)
        }
    }

    private func take(_ word: DeliveryWord, _ responder: Responder<SchedulerEdge.Deliver.Reply>) {
        batch.request("delivery", fail: { responder.fail($0) }) { [weak self] unit in
            guard let self else { throw Failure(.shuttingDown, "") }
            let (id, isNew) = try keep(unit, word)
            unit.afterCommit { responder.reply(.init(delivery: id, created: isNew)) }
        }
    }

    /// Writes what is new, once, with what is to run for it.
    func keep(_ unit: UnitOfWork, _ word: DeliveryWord) throws -> (delivery: UInt64, isNew: Bool) {
        if let known = try unit.rows.delivery(word.project, body: word.delivery) {
            // Something was missing, and somebody has mended it and sends it again.
            if try unit.rows.delivery(known)?.state == .refused { try planAgain(unit, known, word) }
            return (known, false)
        }
        var number: UInt64 = 0
        if case .change(let change) = word.event { number = change.number }
        let id = try unit.rows.insertDelivery(
            word, number: number, what: Self.what(word.event), at: unit.now, house: unit.house)
        try plan(unit, id, word)
        return (id, true)
    }

    /// The sender learns whether it may send it again, and nothing of why it is not genuine.
    private static func deliveryRefusal(of failure: Failure) -> Failure {
        switch failure.errorCode {
        case .unauthorized: Failure(.unauthorized, "")
        case .invalid: failure
        default: Failure(.disconnected, "brokerd is away; send it again", place: "brokerd")
        }
    }

    /// For people: `push to main`, `change 7 into main: updated`. The names are a stranger's words.
    private static func what(_ event: ForgeEvent) -> String {
        switch event {
        case .push(let push):
            "\(push.after.isEmpty ? "removal of" : "push to") \(push.reference.tag ? "tag " : "")\(push.reference.name)"
        case .change(let change): "change \(change.number) into \(change.base.branch): \(change.action)"
        case .approval(let approval): "a request to approve change \(approval.number)"
        case .hint(let hint): "a job or pipeline is \(hint.status)"
        case .idle(let idle): idle.what
        }
    }

    private func summary(_ unit: UnitOfWork, _ row: DeliveryRow) throws -> SchedulerEdge.DeliverySummary {
        var texts = [row.text].filter { !$0.isEmpty }
        if row.state == .waits { texts.insert("waits: \(waitsFor(row))", at: 0) }
        return SchedulerEdge.DeliverySummary(
            id: row.id, project: row.project, receivedMs: row.receivedMs, state: row.state, what: row.what,
            text: Reasons.fit(texts.joined(separator: "; "), limit: 512),
            jobs: try unit.rows.deliveryJobs(row.id).compactMap(\.job))
    }

    /// What is wrong, or what is being done for it.
    private func waitsFor(_ row: DeliveryRow) -> String {
        if !courier.isReady { return "courierd is away" }
        if let failure = forgeTroubles[row.project]?.failure { return failure.text }
        switch errands[row.id] {
        case nil: return "others are before it"
        case .some(nil): return "the forge is asked what who approves may do"
        case .some(let errand?): return errand.doing
        }
    }
}
