// brokerd from a script: tokens and directories in dictionaries, answers on the next turn of the loop. It outlives the
// schedulers of a test. It refuses to believe a request whose row is not committed.

import Crypto
import JobWire
import Link
import Posix
import Scheduling
import Store
import Testing
import Wire

final class FakeBroker: BrokerLink {
    /// A directory for a grant, and what lies in it.
    struct Directory {
        let runner: Bytes16
        var holdsKey = true
        var holdsGrant = false
        var attempt: Attempt?
    }

    var loop: PollLoop
    let witness: Witness

    var isReady = false
    var lastFailure: Failure?
    var onUp: (() -> Void)?
    var onDown: ((Failure) -> Void)?

    var callers: [String: BrokerEdge.Caller] = [
        Samples.token: .operator(.init(name: "admin", everywhere: .admin, projects: []))
    ]
    private(set) var directories: [Bytes16: Directory] = [:]
    /// What was asked: "verify", "vouch", "prepare", ..., in order.
    private(set) var calls: [String] = []
    private(set) var vouched: [BrokerEdge.Vouch] = []
    private(set) var granted: [BrokerEdge.Grant] = []
    private(set) var wiped: [Bytes16] = []
    private(set) var discarded: [Bytes16] = []
    private(set) var executed: [SealedOrder] = []
    /// What calls of a name fail with.
    var refusals: [String: Failure] = [:]
    /// Calls of these names are answered by `release` only.
    var slow: Set<String> = []
    private var held: [() -> Void] = []
    /// Whom an order trusts how far.
    var trust = Trust.trusted
    /// What happens right after the answer to a call of this name was sent.
    var afterAnswer: [String: () -> Void] = [:]
    var comesUp = true
    private var generation = 0

    init(loop: PollLoop, witness: Witness) {
        self.loop = loop
        self.witness = witness
    }

    func count(_ call: String) -> Int { calls.count { $0 == call } }

    func directory(of runner: Bytes16) -> Directory? { directories.values.first { $0.runner == runner } }

    func start() {
        if comesUp { loop.soon { self.up() } }
    }

    /// What schedulerd does to the link.
    func stop() {
        down()
    }

    func up() {
        isReady = true
        onUp?()
    }

    func down() {
        isReady = false
        generation += 1
        held = []
        onDown?(Failure(.disconnected, "brokerd went away"))
    }

    /// schedulerd was killed: what is under way is answered to nobody.
    func forget() {
        isReady = false
        generation += 1
        held = []
        slow = []
    }

    /// brokerd itself starts anew: every file is wiped, the directories stay.
    func restart() {
        down()
        for name in directories.keys {
            directories[name]?.holdsKey = false
            directories[name]?.holdsGrant = false
            directories[name]?.attempt = nil
        }
        up()
    }

    /// The tmpfs is another one.
    func loseDirectories() { directories = [:] }

    /// Answers what was held back.
    func release() {
        let answers = held
        held = []
        for answer in answers { answer() }
    }

    private static var gone: Failure { Failure(.disconnected, "") }

    private func answer<Value>(
        _ call: String, _ done: @escaping (Result<Value, Failure>) -> Void, _ body: () -> Result<Value, Failure>
    ) {
        calls.append(call)
        let asked = generation
        let wasReady = isReady
        let result = wasReady ? refusals[call].map { .failure($0) } ?? body() : .failure(Self.gone)
        let tell = {
            let isConnected = wasReady && self.isReady && asked == self.generation
            done(isConnected ? result : .failure(Self.gone))
            self.afterAnswer.removeValue(forKey: call)?()
        }
        // A link that breaks fails what is under way, answered or not.
        if slow.contains(call) && wasReady { held.append(tell) } else { loop.soon(tell) }
    }

    private func answer(
        _ call: String, _ done: @escaping (Failure?) -> Void, _ body: () -> Failure?
    ) {
        answer(
            call,
            { (result: Result<Void, Failure>) in
                if case .failure(let failure) = result { done(failure) } else { done(nil) }
            }, { body().map { .failure($0) } ?? .success(()) })
    }

    // MARK: the edge

    func verifyToken(_ token: String, _ done: @escaping (Result<BrokerEdge.Caller, Failure>) -> Void) {
        answer("verify", done) {
            callers[token].map { .success($0) } ?? .failure(Failure(.unauthorized, "nobody's"))
        }
    }

    /// As brokerd sees everybody who is no person.
    private func stranger(_ token: String) -> Failure? {
        if case .operator? = callers[token] { return nil }
        return Failure(.unauthorized, "nobody's", place: "token")
    }

    func vouch(_ request: BrokerEdge.Vouch, _ done: @escaping (Result<Ticket, Failure>) -> Void) {
        answer("vouch", done) {
            if let failure = stranger(request.token) { return .failure(failure) }
            vouched.append(request)
            if request.order == nil && !request.secrets.isEmpty {
                return .failure(Failure(.orderRefused, "secrets need an order", place: "secrets"))
            }
            let trust = request.order == nil ? Trust.untrusted : trust
            return .success(
                Ticket(
                    order: .random(), subject: "admin", project: request.project, trust: trust, commit: "",
                    definition: request.definition, secrets: request.secrets, ownValues: false, generation: 1,
                    issuedMs: 1,
                    mac: Bytes32(9, 9, 9, 9)))
        }
    }

    /// What a delivery is, by the text of its body; everything else is not genuine.
    var deliveries: [String: DeliveryWord] = [:]
    private(set) var events: [BrokerEdge.VouchEvent] = []
    private(set) var approvals: [BrokerEdge.Approve] = []

    func verifyDelivery(
        _ request: BrokerEdge.VerifyDelivery, body: consuming FileDescriptor,
        _ done: @escaping (Result<DeliveryWord, Failure>) -> Void
    ) {
        var room = [UInt8](repeating: 0, count: 64)
        let raw = body.raw
        guard case .bytes(let count)? = try? Posix.read(raw, into: &room) else {
            return loop.soon { done(.failure(Failure(.unauthorized, "empty"))) }
        }
        let name = String(decoding: room.prefix(count), as: UTF8.self)
        answer("verify delivery", done) {
            deliveries[name].map { .success($0) } ?? .failure(Failure(.unauthorized, "its signature is wrong"))
        }
    }

    func vouchEvent(_ request: BrokerEdge.VouchEvent, _ done: @escaping (Result<Ticket, Failure>) -> Void) {
        answer("vouch event", done) {
            events.append(request)
            guard let bytes = try? request.definition.encoded() else { return .failure(Failure(.invalid, "")) }
            return .success(
                Ticket(
                    order: .random(), subject: "github:1", project: request.definition.project,
                    trust: request.approval == nil ? trust : .approved, commit: "",
                    definition: Bytes32(bytes: Array(SHA256.hash(data: bytes))) ?? .random(),
                    secrets: request.definition.secretNames, ownValues: false, generation: 1, issuedMs: 1,
                    mac: Bytes32(9, 9, 9, 9)))
        }
    }

    func approve(_ request: BrokerEdge.Approve, _ done: @escaping (Result<ApprovalWord, Failure>) -> Void) {
        answer("approve", done) {
            approvals.append(request)
            guard case .change(let change) = request.change.event else { return .failure(Failure(.invalid, "")) }
            return .success(
                ApprovalWord(
                    project: request.change.project, number: change.number, head: change.head.commit,
                    base: change.base.commit.isEmpty ? request.base?.commit ?? "" : change.base.commit,
                    branch: change.base.branch, revision: request.change.revision, by: "operator admin",
                    generation: 1, issuedMs: 1, mac: Bytes32(9, 9, 9, 9)))
        }
    }

    func execute(_ order: SealedOrder, token: String, _ done: @escaping (Failure?) -> Void) {
        answer("execute", done) {
            if let failure = stranger(token) { return failure }
            executed.append(order)
            return nil
        }
    }

    func listSecrets(
        _ request: BrokerEdge.ListSecrets, _ done: @escaping (Result<BrokerEdge.ListSecrets.Reply, Failure>) -> Void
    ) {
        answer("list", done) {
            if let failure = stranger(request.token) { return .failure(failure) }
            let all = ["a", "b", "c"].filter { $0 > request.after }
            let page = all.prefix(2).map { BrokerEdge.SecretInfo(name: $0, setMs: 7, setBy: request.project) }
            return .success(.init(secrets: page, more: all.count > 2))
        }
    }

    func listUsers(
        _ request: BrokerEdge.ListUsers, _ done: @escaping (Result<BrokerEdge.ListUsers.Reply, Failure>) -> Void
    ) {
        answer("users", done) {
            if let failure = stranger(request.token) { return .failure(failure) }
            return .success(.init(revision: 7, users: [], more: request.after.isEmpty))
        }
    }

    func listTokens(
        _ request: BrokerEdge.ListTokens, _ done: @escaping (Result<BrokerEdge.ListTokens.Reply, Failure>) -> Void
    ) {
        answer("tokens", done) {
            if let failure = stranger(request.token) { return .failure(failure) }
            let token = TokenInfo(user: request.user, name: "ci", access: .read, projects: [], expiresMs: 0)
            return .success(.init(tokens: [token], more: false))
        }
    }

    func prepare(_ runner: Bytes16, _ done: @escaping (Result<Bytes16, Failure>) -> Void) {
        witness.expect("Prepare") { try $0.runner(runner)?.state == .provisioning }
        answer("prepare", done) {
            let name = Bytes16.random()
            directories[name] = Directory(runner: runner)
            return .success(name)
        }
    }

    func grant(_ request: BrokerEdge.Grant, _ done: @escaping (Failure?) -> Void) {
        witness.expect("Grant") { rows in
            let runner = try rows.runner(request.runner)
            let attempt = try rows.attempt(request.attempt)
            return try runner?.state == .busy && runner?.grant == request.grant && runner?.trust == request.ticket.trust
                && attempt?.state == .open && attempt?.taken == request.taken
                && rows.ticket(ofJob: request.attempt.job) == request.ticket
        }
        answer("grant", done) {
            guard let directory = directories[request.grant], directory.runner == request.runner else {
                return Failure(.grantGone, "no such grant")
            }
            if let attempt = directory.attempt, attempt != request.attempt { return Failure(.conflict, "replayed") }
            granted.append(request)
            directories[request.grant]?.attempt = request.attempt
            if !request.taken { directories[request.grant]?.holdsGrant = true }
            return nil
        }
    }

    func wipe(_ grant: Bytes16, _ done: @escaping (Failure?) -> Void) {
        answer("wipe", done) {
            guard directories[grant] != nil else { return Failure(.grantGone, "no such grant") }
            wiped.append(grant)
            directories[grant]?.holdsKey = false
            directories[grant]?.holdsGrant = false
            return nil
        }
    }

    func discard(_ grant: Bytes16, _ done: @escaping (Failure?) -> Void) {
        witness.expect("Discard") { try !$0.liveGrants().contains(grant) }
        answer("discard", done) {
            discarded.append(grant)
            directories[grant] = nil
            return nil
        }
    }

    func reconcile(live: [Bytes16], _ done: @escaping (Failure?) -> Void) {
        answer("reconcile", done) {
            for name in directories.keys where !live.contains(name) { directories[name] = nil }
            return nil
        }
    }
}
