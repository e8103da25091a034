// Held jobs: what somebody would approve, and what follows when he has. Whether he may, and whether the change still is
// what he has looked at, brokerd decides.

import JobWire
import Link
import Store
import Wire

/// A job that waits for an approval.
struct HeldJob {
    let delivery: DeliveryRow
    let change: ChangeEvent

    var reply: SchedulerEdge.GetHeld.Reply {
        .init(
            project: delivery.project, number: change.number, head: change.head.commit, base: change.base.commit,
            revision: delivery.word.revision, author: change.author.name)
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
        guard !change.base.commit.isEmpty else {
            throw Failure(
                .notReady, "the forge has not said what the change is based on, and courierd does not run here",
                place: "base")
        }
        return HeldJob(delivery: delivery, change: change)
    }

    func approve(_ request: SchedulerEdge.ApproveJob, _ responder: Responder<SchedulerEdge.ApproveJob.Reply>) {
        batch.question("approve", fail: { responder.fail($0) }) { [weak self] unit in
            let held = try Self.held(unit, request.job)
            unit.afterCommit {
                self?.broker.approve(
                    BrokerEdge.Approve(
                        token: request.token, order: request.order, asks: nil, may: nil, change: held.delivery.word,
                        base: "")
                ) { result in
                    switch result {
                    case .failure(let failure): responder.fail(Self.refusal(of: failure))
                    case .success(let word): self?.take(word, held.delivery.id, responder)
                    }
                }
            }
        }
    }

    private func take(
        _ word: ApprovalWord, _ delivery: UInt64, _ responder: Responder<SchedulerEdge.ApproveJob.Reply>
    ) {
        batch.request("approval", fail: { responder.fail($0) }) { [weak self] unit in
            guard let row = try unit.rows.delivery(delivery), row.state == .held else {
                throw Failure(.conflict, "the change has gone on meanwhile", place: "job")
            }
            try unit.rows.keepApproval(word)
            try unit.rows.openDeliveryJobs(of: delivery)
            try unit.rows.setDelivery(delivery, .waits, "approved by \(word.by)")
            let jobs = try unit.rows.deliveryJobs(delivery).filter(\.open)
            unit.afterCommit {
                self?.vouchForDeliveries()
                responder.reply(.init(jobs: UInt16(clamping: jobs.count)))
            }
        }
    }
}
