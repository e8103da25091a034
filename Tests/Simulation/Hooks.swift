// What must never be of deliveries: each acknowledged one is there, with one job for each that the project says; none
// of a stranger's changes runs before somebody has approved its very commit.

import JobModel
import JobWire
import Link
import Store
import Wire

/// brokerd's side of deliveries, and the judgement of what schedulerd makes of them.
final class Hooks {
    private unowned let house: Simulation
    private var world: World { house.world }
    /// Heads that somebody has approved, by change.
    private var approved: [UInt64: Set<String>] = [:]
    /// What brokerd was asked about.
    private var definitions: [String: JobDefinition] = [:]

    init(_ house: Simulation) { self.house = house }

    func asked(_ job: JobRow) -> JobDefinition? { job.project == Forge.project ? definitions[job.name] : nil }

    // MARK: brokerd

    /// Each time with another MAC: the time at which it was stated stands in it.
    func word(on text: String) -> Result<DeliveryWord, Failure> {
        guard let event = house.forge.events[text], let revision = house.forge.revision else {
            return .failure(Failure(.unauthorized, "its signature is wrong"))
        }
        let (mac, more) = (world.id(), world.id())
        return .success(
            DeliveryWord(
                delivery: Hooks.hash(text), project: Forge.project, revision: revision, event: event, generation: 1,
                issuedMs: world.wall, mac: Bytes32(mac.high, mac.low, more.high, more.low)))
    }

    static func hash(_ text: String) -> Bytes32 {
        let hash = text.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        return Bytes32(hash, hash &* 3, hash &* 5, hash &* 7)
    }

    func vouch(_ request: BrokerEdge.VouchEvent, hash: Bytes32) -> Result<Ticket, Failure> {
        var trust = Trust.trusted
        if case .change(let change) = request.delivery.event {
            guard let approval = request.approval, approval.head == change.head.commit,
                approved[change.number]?.contains(change.head.commit) == true
            else { return .failure(Failure(.notReady, "it waits until somebody approves it")) }
            trust = .approved
        }
        definitions[request.definition.spec.name] = request.definition
        return .success(
            Ticket(
                order: Bytes16(high: 2, low: 2), subject: "github:1", project: request.definition.project,
                trust: trust, commit: "", definition: hash, secrets: [], ownValues: false, generation: 1, issuedMs: 1,
                mac: Bytes32(9, 9, 9, 9)))
    }

    func approve(_ request: BrokerEdge.Approve) -> Result<ApprovalWord, Failure> {
        let word = request.change
        guard case .change(let change) = word.event else { return .failure(Failure(.invalid, "no change")) }
        approved[change.number, default: []].insert(change.head.commit)
        return .success(
            ApprovalWord(
                project: word.project, number: change.number, head: change.head.commit, base: change.base.commit,
                branch: change.base.branch, revision: word.revision, by: "ada", generation: 1, issuedMs: world.wall,
                mac: word.mac))
    }

    // MARK: what must never be

    func began(_ attempt: Attempt, _ definition: JobDefinition) {
        guard definition.project == Forge.project else { return }
        try? house.life?.store.read { rows in
            guard let delivery = try rows.delivery(ofJob: attempt.job) else {
                return world.violated("\(attempt.words) begins, and no delivery knows of it")
            }
            guard case .change(let change) = delivery.word.event else { return }
            if approved[change.number]?.contains(change.head.commit) != true {
                world.violated("\(attempt.words) begins, and nobody has approved \(change.head.commit.prefix(8))")
            }
        }
    }

    func look(_ rows: StoreTransaction) throws {
        for (text, id) in house.forge.acknowledged.sorted(by: { $0.key < $1.key }) {
            let found = try rows.delivery(Forge.project, body: Self.hash(text))
            if found != id { world.violated("'\(text)' was acknowledged as delivery \(id) and is \(found ?? 0)") }
        }
        var named: Set<UInt64> = []
        for delivery in try rows.deliveries(of: [Forge.project], before: 0, limit: 1000) {
            named.formUnion(try rows.deliveryJobs(delivery.id).compactMap(\.job))
        }
        for job in try rows.jobs(before: 0, limit: 1000, state: nil) where job.project == Forge.project {
            if !named.contains(job.id) { world.violated("job \(job.id) is one too many: no delivery has it") }
        }
    }

    /// What is not over yet.
    func remains(_ rows: StoreTransaction) throws -> [String] {
        var remains = house.forge.unanswered.map { "'\($0)' is not answered" }
        for (text, id) in house.forge.acknowledged.sorted(by: { $0.key < $1.key }) {
            guard let delivery = try rows.delivery(id) else {
                remains.append("delivery \(id) is gone")
                continue
            }
            let jobs = try rows.deliveryJobs(id)
            if delivery.state == .waits || jobs.contains(where: \.open) { remains.append("'\(text)' waits") }
            let (wanted, made) = (self.wanted(delivery), jobs.count { $0.job != nil })
            // What has not begun when its change goes on never will.
            let isOvertaken =
                try rows.newestDelivery(ofChange: delivery.number, of: Forge.project).map { $0.id > id } ?? false
            if isOvertaken && delivery.state == .idle ? made > wanted : made != wanted {
                remains.append("'\(text)' has \(made) jobs, and \(wanted) are wanted")
            }
        }
        return remains
    }

    private func wanted(_ delivery: DeliveryRow) -> Int {
        switch delivery.word.event {
        case .push(let push): push.reference.name == "main" ? 2 : 1
        case .change(let change): change.action == .closed ? 0 : 1
        default: 0
        }
    }

    /// It waits for an approval, which may never come.
    func mayWait(_ job: JobRow, _ rows: StoreTransaction) throws -> Bool {
        try job.state == .held && rows.delivery(ofJob: job.id)?.state == .held
    }
}
