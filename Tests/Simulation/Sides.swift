// What Scheduling asks of its links, passed on to the simulated siblings. One set for each life of schedulerd.

import JobWire
import Link
import Posix
import Scheduling
import Wire

/// As in SpawnerClient.
private let engineLimit = Duration.seconds(90)
private let usualLimit = Duration.seconds(30)

final class SpawnerSide: SimulatedLink, SpawnerLink {
    private let spawner: Spawner

    init(_ life: SchedulerLife, _ spawner: Spawner) {
        self.spawner = spawner
        super.init(life, spawner)
    }

    func createRunner(_ request: SpawnerEdge.CreateRunner, _ done: @escaping (Failure?) -> Void) {
        call("CreateRunner \(request.runner.hex.prefix(6))", within: engineLimit, { done($0.failed) }) {
            self.spawner.create(request, $0)
        }
    }

    func attachRunner(_ runner: Bytes16, _ done: @escaping (Failure?) -> Void) {
        call("AttachRunner \(runner.hex.prefix(6))", within: engineLimit, { done($0.failed) }) {
            self.spawner.attach(runner, $0)
        }
    }

    func removeRunner(_ runner: Bytes16, _ done: @escaping (Failure?) -> Void) {
        call("RemoveRunner \(runner.hex.prefix(6))", within: engineLimit, { done($0.failed) }) {
            self.spawner.remove(runner, $0)
        }
    }

    func listRunners(_ done: @escaping (Result<[SpawnerEdge.RunnerContainer], Failure>) -> Void) {
        call("ListRunners", within: usualLimit, done) { self.spawner.list($0) }
    }

    func describeHost(_ done: @escaping (Result<SpawnerEdge.DescribeHost.Reply, Failure>) -> Void) {
        call("DescribeHost", within: usualLimit, done) { self.spawner.describe($0) }
    }

    func readDevices(deadline: Duration, _ done: @escaping (Result<[SpawnerEdge.DeviceUse], Failure>) -> Void) {
        call("ReadDevices", within: deadline, done) { $0(.success([])) }
    }

    func watchExits(onItem: @escaping (SpawnerEdge.RunnerExit) -> Void, onEnd: @escaping (Failure?) -> Void) {
        guard isReady else { return }
        let hear = { [spawner] (exit: SpawnerEdge.RunnerExit) in
            spawner.hears(exit)
            onItem(exit)
        }
        let sink = stream(hear, onEnd)
        spawner.run(in: spawner.life) { self.spawner.watch(sink) }
    }
}

final class RelaySide: SimulatedLink, RelayLink {
    private let relay: Relay

    init(_ life: SchedulerLife, _ relay: Relay) {
        self.relay = relay
        super.init(life, relay)
    }

    private func ask(_ what: String, _ done: @escaping (Failure?) -> Void, _ serve: @escaping () -> Failure?) {
        call(what, within: usualLimit, { (result: Result<Void, Failure>) in done(result.failed) }) { answer in
            answer(serve().map { .failure($0) } ?? .success(()))
        }
    }

    func runJob(_ request: RelayEdge.RunJob, _ done: @escaping (Failure?) -> Void) {
        ask("RunJob \(request.attempt.words) on \(request.runner.hex.prefix(6))", done) { self.relay.runJob(request) }
    }

    func cancelJob(_ attempt: Attempt, graceSeconds: UInt32, _ done: @escaping (Failure?) -> Void) {
        ask("CancelJob \(attempt.words)", done) { self.relay.cancel(attempt, graceSeconds) }
    }

    func settleJob(_ attempt: Attempt, _ done: @escaping (Failure?) -> Void) {
        ask("SettleJob \(attempt.words)", done) {
            self.relay.settle(attempt)
            return nil
        }
    }

    func dropRunner(_ runner: Bytes16, _ done: @escaping (Failure?) -> Void) {
        ask("DropRunner \(runner.hex.prefix(6))", done) {
            self.relay.drop(runner)
            return nil
        }
    }

    func removeLogs(_ job: UInt64, _ done: @escaping (Failure?) -> Void) { ask("RemoveLogs", done) { nil } }

    func removeArtifacts(_ job: UInt64, _ done: @escaping (Failure?) -> Void) { ask("RemoveArtifacts", done) { nil } }

    func readCounters(
        deadline: Duration, _ done: @escaping (Result<RelayEdge.ReadCounters.Reply, Failure>) -> Void
    ) {
        call("ReadCounters", within: deadline, done) {
            $0(.success(.init(logBytes: 0, maskedBytes: 0, masks: 0, streams: 0)))
        }
    }

    func removeSource(_ sha256: Bytes32, _ done: @escaping (Failure?) -> Void) { ask("RemoveSource", done) { nil } }

    func watchEvents(onItem: @escaping (RelayEdge.RelayEvent) -> Void, onEnd: @escaping (Failure?) -> Void) {
        guard isReady else { return }
        let sink = stream(onItem, onEnd)
        relay.run(in: relay.life) { self.relay.watch(sink) }
    }

    // Logs, artifacts and uploads are not part of this model.

    private static let nothing = Failure(.notFound, "not simulated")

    func openLog(_ attempt: Attempt, _ done: @escaping (Result<Void, Failure>, consuming FDBundle) -> Void) {
        life.loop.soon { done(.failure(Self.nothing), FDBundle()) }
    }

    func openArtifact(
        _ attempt: Attempt, rule: UInt16,
        _ done: @escaping (Result<RelayEdge.OpenArtifact.Reply, Failure>, consuming FDBundle) -> Void
    ) {
        life.loop.soon { done(.failure(Self.nothing), FDBundle()) }
    }

    func openUpload(size: UInt64, _ done: @escaping (Result<UInt64, Failure>, consuming FDBundle) -> Void) {
        life.loop.soon { done(.failure(Self.nothing), FDBundle()) }
    }

    func finishUpload(_ upload: UInt64, deadline: Duration, _ done: @escaping (Result<Source, Failure>) -> Void) {
        life.loop.soon { done(.failure(Self.nothing)) }
    }

    func storeArchive(
        _ archive: consuming FileDescriptor, size: UInt64, _ done: @escaping (Result<Source, Failure>) -> Void
    ) {
        life.loop.soon { done(.failure(Self.nothing)) }
    }
}

final class BrokerSide: SimulatedLink, BrokerLink {
    private let broker: Broker

    init(_ life: SchedulerLife, _ broker: Broker) {
        self.broker = broker
        super.init(life, broker)
    }

    private func ask(_ what: String, _ done: @escaping (Failure?) -> Void, _ serve: @escaping () -> Failure?) {
        call(what, within: usualLimit, { (result: Result<Void, Failure>) in done(result.failed) }) { answer in
            answer(serve().map { .failure($0) } ?? .success(()))
        }
    }

    func verifyToken(_ token: String, _ done: @escaping (Result<BrokerEdge.Caller, Failure>) -> Void) {
        call("VerifyToken", within: usualLimit, done) {
            $0(.success(.operator(.init(name: "admin", everywhere: .admin, projects: []))))
        }
    }

    func vouch(_ request: BrokerEdge.Vouch, _ done: @escaping (Result<Ticket, Failure>) -> Void) {
        call("Vouch", within: usualLimit, done) { $0(self.broker.vouch(request)) }
    }

    func verifyDelivery(
        _ request: BrokerEdge.VerifyDelivery, body: consuming FileDescriptor,
        _ done: @escaping (Result<DeliveryWord, Failure>) -> Void
    ) {
        var room = [UInt8](repeating: 0, count: 64)
        var text = ""
        if case .bytes(let count)? = try? Posix.read(body.raw, into: &room) {
            text = String(decoding: room.prefix(count), as: UTF8.self)
        }
        call("VerifyDelivery '\(text)'", within: usualLimit, done) { $0(self.broker.verify(text)) }
    }

    func vouchEvent(_ request: BrokerEdge.VouchEvent, _ done: @escaping (Result<Ticket, Failure>) -> Void) {
        call("VouchEvent \(request.job)", within: usualLimit, done) { $0(self.broker.vouch(request)) }
    }

    func approve(_ request: BrokerEdge.Approve, _ done: @escaping (Result<ApprovalWord, Failure>) -> Void) {
        call("Approve", within: usualLimit, done) { $0(self.broker.approve(request)) }
    }

    func execute(_ order: SealedOrder, token: String, _ done: @escaping (Failure?) -> Void) {
        ask("Execute", done) { nil }
    }

    func listSecrets(
        _ request: BrokerEdge.ListSecrets, _ done: @escaping (Result<BrokerEdge.ListSecrets.Reply, Failure>) -> Void
    ) {
        call("ListSecrets", within: usualLimit, done) { $0(.success(.init(secrets: [], more: false))) }
    }

    func listUsers(
        _ request: BrokerEdge.ListUsers, _ done: @escaping (Result<BrokerEdge.ListUsers.Reply, Failure>) -> Void
    ) {
        call("ListUsers", within: usualLimit, done) { $0(.success(.init(revision: 1, users: [], more: false))) }
    }

    func listTokens(
        _ request: BrokerEdge.ListTokens, _ done: @escaping (Result<BrokerEdge.ListTokens.Reply, Failure>) -> Void
    ) {
        call("ListTokens", within: usualLimit, done) { $0(.success(.init(tokens: [], more: false))) }
    }

    func prepare(_ runner: Bytes16, _ done: @escaping (Result<Bytes16, Failure>) -> Void) {
        call("Prepare \(runner.hex.prefix(6))", within: usualLimit, done) { $0(self.broker.prepare(runner)) }
    }

    func grant(_ request: BrokerEdge.Grant, _ done: @escaping (Failure?) -> Void) {
        ask("Grant \(request.attempt.words)", done) { self.broker.grant(request) }
    }

    func wipe(_ grant: Bytes16, _ done: @escaping (Failure?) -> Void) { ask("Wipe", done) { self.broker.wipe(grant) } }

    func discard(_ grant: Bytes16, _ done: @escaping (Failure?) -> Void) {
        ask("Discard", done) { self.broker.discard(grant) }
    }

    func reconcile(live: [Bytes16], _ done: @escaping (Failure?) -> Void) {
        ask("Reconcile \(live.count)", done) {
            self.broker.reconcile(live)
            return nil
        }
    }
}

extension Result where Failure == Wire.Failure {
    var failed: Wire.Failure? {
        if case .failure(let failure) = self { failure } else { nil }
    }
}

extension Attempt {
    var words: String { "job \(job) attempt \(attempt).\(epoch)" }
}
