// The last step of a delivery's job: brokerd says with which trust and secrets it runs, and refuses what is not the
// project's. A job is made when its ticket is there; one that waits for an approval is held without one.

import Daemon
import JobModel
import Link
import ProjectModel
import Store
import TrustModel
import Wire

extension Scheduler {
    func hold(_ errand: DeliveryErrand, _ definition: JobDefinition) {
        write(errand, "held job of a delivery") { unit, job in
            let (id, _) = try unit.rows.submit(
                requestID: Self.requestID(errand.word, job.name), definition: definition, ticket: nil, at: unit.now,
                house: unit.house)
            try self.highWater?.cover(job: id)
            return id
        }
    }

    func vouch(_ errand: DeliveryErrand, _ definition: JobDefinition) {
        guard let job = errand.job else { return }
        let request = BrokerEdge.VouchEvent(
            delivery: errand.word, approval: errand.approval, file: errand.read?.word, base: errand.row.base,
            job: job.name, definition: definition)
        broker.vouchEvent(request) { result in
            guard self.isUnderWay(errand) else { return }
            switch result {
            // By our rules it does not wait for anybody.
            case .failure(let failure) where failure.errorCode == .notReady: self.leaveOut(errand, failure.text)
            case .failure(let failure): self.failed(errand, failure)
            case .success(let ticket):
                guard Self.hash(definition) == ticket.definition, ticket.project == definition.project else {
                    return self.failed(errand, Failure(.conflict, "brokerd vouched for something else"))
                }
                self.make(errand, definition, ticket)
            }
        }
    }

    private func make(_ errand: DeliveryErrand, _ definition: JobDefinition, _ ticket: Ticket) {
        write(errand, "job of a delivery") { unit, job in
            if let source = definition.source, try !unit.rows.takeUp(source) {
                // It was removed meanwhile, with the last job that used it.
                unit.afterCommit {
                    errand.source = nil
                    self.goOn(errand)
                }
                return nil
            }
            if let held = job.job {
                try self.release(unit, held, definition, ticket)
                return held
            }
            let request = Self.requestID(errand.word, job.name)
            return try unit.rows.job(ofRequest: request) ?? self.insert(unit, request, definition, ticket)
        }
    }

    /// One more job of a delivery is there; nil from `body`: not yet.
    private func write(
        _ errand: DeliveryErrand, _ what: String, _ body: @escaping (UnitOfWork, OpenDeliveryJob) throws -> UInt64?
    ) {
        guard let job = errand.job else { return }
        batch.request(what, fail: { if self.isUnderWay(errand) { self.failed(errand, $0) } }) { unit in
            // New commits may have taken its place meanwhile.
            guard try unit.rows.delivery(job.delivery)?.state == .waits else {
                return unit.afterCommit { self.beginAnew(errand) }
            }
            guard let id = try body(unit, job) else { return }
            try unit.rows.closeDeliveryJob(job.delivery, job.name, job: id)
            unit.afterCommit {
                self.follow(id, of: errand.row.project)
                guard self.isUnderWay(errand) else { return }
                errand.advance()
                self.goOn(errand)
            }
        }
    }

    /// HELD to QUEUED, and only now in its group's way; nothing if it was cancelled meanwhile.
    private func release(_ unit: UnitOfWork, _ id: UInt64, _ definition: JobDefinition, _ ticket: Ticket) throws {
        guard let job = try unit.rows.job(id), job.state == .held else { return }
        try unit.rows.redefine(job: id, as: definition)
        try unit.rows.giveTicket(ticket, toJob: id)
        if let older = try replacement(unit, by: id) { try follow(unit, [older]) }
        if try !joinQueue(unit, job, on: .approved) { unit.dispatchNext() }
    }

    /// Nobody outside knows the MAC, so nobody can take this name before us.
    private static func requestID(_ word: DeliveryWord, _ name: String) -> String {
        "\(word.mac.hex.prefix(40))-\(hash(Array(name.utf8)).hex.prefix(16))"
    }

    // MARK: what does not run

    /// The job that it is at will not be.
    func leaveOut(_ errand: DeliveryErrand, _ remark: String) {
        guard let job = errand.job else { return finish(errand) }
        batch.event("no job for a delivery") { unit in
            try self.close(unit, job, remark)
            unit.afterCommit {
                guard self.isUnderWay(errand) else { return }
                errand.advance()
                self.goOn(errand)
            }
        }
    }

    /// None of these will be.
    func close(_ delivery: UInt64, _ open: [OpenDeliveryJob], _ failure: Failure) {
        log.warning("no job for a delivery", ["delivery": "\(delivery)", "why": failure.text])
        batch.event("no jobs for a delivery") { unit in
            for job in open { try self.close(unit, job, "") }
            try self.settle(unit, delivery, remark: failure.text)
            unit.afterCommit { self.release(delivery) }
        }
    }

    private func close(_ unit: UnitOfWork, _ job: OpenDeliveryJob, _ remark: String) throws {
        try unit.rows.closeDeliveryJob(job.delivery, job.name)
        if let held = job.job { _ = try cancel(unit, job: held, graceSeconds: 0) }
        if !remark.isEmpty { try addRemark(unit, job.delivery, remark) }
    }

    /// For whoever asks for deliveries; once.
    func addRemark(_ unit: UnitOfWork, _ delivery: UInt64, _ remark: String) throws {
        guard let row = try unit.rows.delivery(delivery), !row.text.contains(remark) else { return }
        let text = [row.text, remark].filter { !$0.isEmpty }.joined(separator: "; ")
        try unit.rows.setDelivery(delivery, row.state, text)
    }

    /// Nothing of it is open any more.
    func finish(_ errand: DeliveryErrand) {
        batch.event("delivery is through") { unit in
            try self.settle(unit, errand.row.id, isHeld: errand.work.decision.isHeld)
            unit.afterCommit {
                guard self.isUnderWay(errand) else { return }
                // Only now: half of it may work again and again.
                if errand.hasAsked { self.forgeTroubles[errand.row.project]?.end() }
                self.release(errand.row.id)
            }
        }
    }

    private func settle(_ unit: UnitOfWork, _ delivery: UInt64, isHeld: Bool = false, remark: String = "") throws {
        if !remark.isEmpty { try addRemark(unit, delivery, remark) }
        guard let row = try unit.rows.delivery(delivery) else { return }
        let jobs = try unit.rows.deliveryJobs(delivery)
        // It has gone on: new commits came while it was worked on.
        if jobs.contains(where: \.open) || row.state != .waits { return }
        let state: SchedulerEdge.DeliveryState =
            if jobs.allSatisfy({ $0.job == nil }) { row.text.isEmpty ? .idle : .refused } else {
                isHeld ? .held : .planned
            }
        let text = state == .idle ? "no job is for the files that changed" : row.text
        try unit.rows.setDelivery(delivery, state, text)
    }
}
