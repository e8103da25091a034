// A job comes in: brokerd vouches for it and for its caller in one answer, and then it is written with its ticket.

import Crypto
import JobModel
import JobWire
import Link
import Store
import TrustWire
import Wire

extension Scheduler {
    typealias SubmitResponder = Responder<SchedulerEdge.SubmitJob.Reply>

    func submit(_ request: SchedulerEdge.SubmitJob, _ responder: SubmitResponder) {
        vouch(request) { [weak self] result in
            switch result {
            case .success(let ticket): self?.write(request, ticket, responder)
            case .failure(let failure): self?.notVouched(request, failure, responder)
            }
        }
    }

    /// A repeated request must find its job, even if it would not be taken any more; for whoever may ask at all.
    private func notVouched(_ request: SchedulerEdge.SubmitJob, _ failure: Failure, _ responder: SubmitResponder) {
        let matter = Matter.project(request.definition.project)
        tell("look up request", request.token, to: .submit, matter, responder) { unit, _ in
            if let reply = try Self.known(unit, request) { return reply }
            try SpecCheck.check(request.definition)
            throw Self.refusal(of: failure)
        }
    }

    /// The answer to a request that has been here before. The same id for something else is a mistake of the caller's,
    /// who would wait for the end of a job of somebody else's making.
    private static func known(
        _ unit: UnitOfWork, _ request: SchedulerEdge.SubmitJob
    ) throws -> SchedulerEdge.SubmitJob.Reply? {
        guard let id = try unit.rows.job(ofRequest: request.requestId), let job = try unit.rows.job(id) else {
            return nil
        }
        if try unit.rows.definition(of: job) == request.definition { return .init(job: id, created: false) }
        let text = "this request id has made job \(id), which is another; give each job a request id of its own"
        throw Failure(.conflict, text, place: "request_id")
    }

    private func vouch(_ request: SchedulerEdge.SubmitJob, _ done: @escaping (Result<Ticket, Failure>) -> Void) {
        let definition = request.definition
        guard let hash = Self.hash(definition) else {
            return done(.failure(Failure(.invalid, "a value is out of bounds")))
        }
        let question = BrokerEdge.Vouch(
            token: request.token, order: request.order, requestId: request.requestId, project: definition.project,
            definition: hash, secrets: definition.secretNames)
        broker.vouch(question) { result in
            guard case .success(let ticket) = result else { return done(result) }
            guard ticket.definition == hash, ticket.project == definition.project,
                Set(ticket.secrets) == Set(definition.secretNames)
            else { return done(.failure(Failure(.internal, "brokerd vouched for something else"))) }
            done(result)
        }
    }

    private func write(_ request: SchedulerEdge.SubmitJob, _ ticket: Ticket, _ responder: SubmitResponder) {
        batch.request("submit", fail: { responder.fail($0) }) { [weak self] unit in
            // First: what has its job already is not judged anew.
            if let reply = try Self.known(unit, request) { return unit.afterCommit { responder.reply(reply) } }
            try SpecCheck.check(request.definition)
            if let source = request.definition.source, try !unit.rows.takeUp(source) {
                throw Failure(.notFound, "the source archive is not in the store; upload it again", place: "source")
            }
            guard let self else { throw Failure(.shuttingDown, "") }
            let job = try insert(unit, request.requestId, request.definition, ticket)
            unit.afterCommit { responder.reply(.init(job: job, created: true)) }
        }
    }

    /// A new row, in line or behind what its schedule says.
    func insert(
        _ unit: UnitOfWork, _ requestID: String, _ definition: JobDefinition, _ ticket: Ticket
    ) throws -> UInt64 {
        let schedule = definition.schedule
        try Self.checkNeeds(unit, of: definition)
        // With a group or tags it is behind a gate until that is looked at, in this transaction.
        let isPlain = schedule.group == nil && schedule.tags.isEmpty
        let (job, _) = try unit.rows.submit(
            requestID: requestID, definition: definition, ticket: ticket, gate: isPlain ? .open : .group,
            at: unit.now, house: unit.house)
        try highWater?.cover(job: job)
        if let older = try replacement(unit, by: job) { try follow(unit, [older]) }
        if !schedule.needs.isEmpty {
            _ = try settleNeeds(unit, of: job)
        } else if try !endUnfit(unit, job: job, shape: definition.spec.shape), !isPlain {
            try regate(unit, job: job)
        }
        if schedule.queueTimeoutSeconds > 0 { watchExpiry(unit) }
        unit.dispatchNext()
        return job
    }

    /// FAILED, if it asks for more than this machine ever gives: that is so however full the house is, and its author
    /// hears it while he is there.
    func endUnfit(_ unit: UnitOfWork, job: UInt64, shape: RunnerShape, settling: Bool = true) throws -> Bool {
        guard let host, let why = settings.neverFits(shape.resources, host) else { return false }
        return try end(unit, job: job, on: .unrunnable, reason: why, settling: settling)
    }

    /// What an order, a ticket and a grant name a definition by; nil if it cannot be encoded.
    static func hash(_ definition: JobDefinition) -> Bytes32? {
        (try? definition.encoded()).map { hash($0) }
    }

    static func hash(_ bytes: [UInt8]) -> Bytes32 {
        let words = SHA256.hash(data: bytes).enumerated().reduce(into: [UInt64](repeating: 0, count: 4)) {
            $0[$1.offset / 8] = $0[$1.offset / 8] << 8 | UInt64($1.element)
        }
        return Bytes32(words[0], words[1], words[2], words[3])
    }
}
