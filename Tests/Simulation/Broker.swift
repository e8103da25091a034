// brokerd: tickets, and directories for grants. The directories outlive it; what lies in them is wiped when it starts.

import Crypto
import Link
import Wire

final class Broker: Peer {
    private struct Directory {
        let runner: Bytes16
        var holdsKey = true
        var holdsGrant = false
        var attempt: Attempt?
    }

    private unowned let house: Simulation
    private var directories: [Bytes16: Directory] = [:]
    /// Its audit log or its file system is full: it releases nothing.
    var isBlocked = false

    init(_ house: Simulation) {
        self.house = house
        super.init("brokerd", house.world)
    }

    var grants: [Bytes16] { directories.keys.sorted { $0.hex < $1.hex } }

    override func died() {
        for name in grants { empty(name) }
    }

    private func empty(_ name: Bytes16) {
        directories[name]?.holdsKey = false
        directories[name]?.holdsGrant = false
        directories[name]?.attempt = nil
        changed(name)
    }

    private func changed(_ name: Bytes16) {
        guard let runner = directories[name]?.runner else { return }
        world.after(world.between(20_000, 20 * .millisecond)) { [self] in
            house.engine.containers[runner]?.grantChanged()
        }
    }

    // MARK: runners

    func takeKey(_ name: Bytes16) -> Bool { directories[name]?.holdsKey ?? false }
    func holdsGrant(_ name: Bytes16) -> Bool { directories[name]?.holdsGrant ?? false }
    func readGrant(_ name: Bytes16, for attempt: Attempt) -> Bool {
        guard let directory = directories[name], directory.holdsGrant else { return false }
        if directory.attempt != attempt { world.violated("a runner reads the grant of another attempt") }
        return true
    }

    // MARK: schedulerd

    private static let blocked = Failure(.auditFailed, "the audit log cannot be written")

    func vouch(_ request: BrokerEdge.Vouch) -> Result<Ticket, Failure> {
        if isBlocked && request.order != nil { return .failure(Self.blocked) }
        return .success(
            Ticket(
                order: Bytes16(high: 1, low: 1), subject: "admin", project: request.project,
                trust: request.order == nil ? .untrusted : .trusted, commit: "", definition: request.definition,
                secrets: request.secrets, ownValues: false, generation: 1, issuedMs: 1, mac: Bytes32(9, 9, 9, 9)))
    }

    func verify(_ text: String) -> Result<DeliveryWord, Failure> { house.hooks.word(on: text) }

    func vouch(_ request: BrokerEdge.VouchEvent) -> Result<Ticket, Failure> {
        if isBlocked { return .failure(Self.blocked) }
        guard let bytes = try? request.definition.encoded(),
            let hash = Bytes32(bytes: Array(SHA256.hash(data: bytes)))
        else { return .failure(Failure(.invalid, "no definition")) }
        return house.hooks.vouch(request, hash: hash)
    }

    func approve(_ request: BrokerEdge.Approve) -> Result<ApprovalWord, Failure> {
        isBlocked ? .failure(Self.blocked) : house.hooks.approve(request)
    }

    func prepare(_ runner: Bytes16) -> Result<Bytes16, Failure> {
        if isBlocked { return .failure(Failure(.storageFull, "no space")) }
        let name = world.id()
        directories[name] = Directory(runner: runner)
        return .success(name)
    }

    func grant(_ request: BrokerEdge.Grant) -> Failure? {
        if isBlocked { return Self.blocked }
        guard let directory = directories[request.grant], directory.runner == request.runner else {
            return Failure(.grantGone, "no such grant")
        }
        if let attempt = directory.attempt, attempt != request.attempt { return Failure(.conflict, "replayed") }
        if directory.holdsKey { world.violated("a grant is released while the runner's key lies open") }
        let isFirst = directory.attempt == nil
        directories[request.grant]?.attempt = request.attempt
        if !request.taken && isFirst {
            directories[request.grant]?.holdsGrant = true
            changed(request.grant)
        }
        return nil
    }

    func wipe(_ name: Bytes16) -> Failure? {
        guard let directory = directories[name] else { return Failure(.grantGone, "no such grant") }
        empty(name)
        directories[name]?.attempt = directory.attempt
        return nil
    }

    func discard(_ name: Bytes16) -> Failure? {
        directories.removeValue(forKey: name) == nil ? Failure(.grantGone, "no such grant") : nil
    }

    func reconcile(_ live: [Bytes16]) {
        for name in grants where !live.contains(name) { directories[name] = nil }
    }
}
