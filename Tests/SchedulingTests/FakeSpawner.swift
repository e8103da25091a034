// spawnerd from a script: containers in a dictionary, answers on the next turn of the loop. It outlives the schedulers
// of a test, as the real one does. It refuses to believe a request whose row is not committed.

import Link
import Posix
import Scheduling
import Store
import Testing
import Wire

final class FakeSpawner: SpawnerLink {
    var loop: PollLoop
    let witness: Witness
    weak var relay: FakeRelay?
    weak var broker: FakeBroker?

    var isReady = false
    var lastFailure: Failure?
    var onUp: (() -> Void)?
    var onDown: ((Failure) -> Void)?

    var containers: [Bytes16: SpawnerEdge.ContainerState] = [:]
    /// What was asked: "create", "attach", "remove", "list", in order.
    private(set) var calls: [String] = []
    private(set) var created: [Bytes16] = []
    private(set) var epochs: [UInt64] = []
    private(set) var trusts: [Trust] = []
    private var grants: [Bytes16: Bytes16] = [:]
    /// What CreateRunner of a shape fails with.
    var refusal: (RunnerShape) -> Failure? = { _ in nil }
    var removalFailure: Failure?
    /// Containers that cannot be removed.
    var stuck: Set<Bytes16> = []
    /// Devices that are another runner's, whatever schedulerd's books say.
    var taken: Set<String> = []
    /// What DescribeHost fails with: the engine is away.
    var silence: Failure?
    var cpus: UInt32 = 64
    var devices: [SpawnerEdge.Device] = []
    /// The devices of each runner that was made, in order.
    private(set) var passedIn: [[String]] = []
    /// False: containers are made, and nothing in them says hello.
    var saysHello = true
    /// False: spawnerd keeps its connections to itself when a scheduler starts.
    var comesUp = true
    private var watcher: ((SpawnerEdge.RunnerExit) -> Void)?
    private var generation = 0

    init(loop: PollLoop, witness: Witness) {
        self.loop = loop
        self.witness = witness
    }

    func count(_ call: String) -> Int { calls.count { $0 == call } }

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
        watcher = nil
        onDown?(Failure(.disconnected, "spawnerd went away"))
    }

    /// A container ends.
    func exit(_ runner: Bytes16, code: UInt16 = 137, outOfMemory: Bool = false) {
        containers[runner] = .exited
        watcher?(.init(runner: runner, exitCode: code, outOfMemory: outOfMemory, detail: ""))
    }

    private func answer(_ call: String, _ body: @escaping (_ isConnected: Bool) -> Void) {
        calls.append(call)
        let asked = generation
        let wasReady = isReady
        loop.soon { body(wasReady && self.isReady && asked == self.generation) }
    }

    private static var gone: Failure { Failure(.disconnected, "") }

    func createRunner(_ request: SpawnerEdge.CreateRunner, _ done: @escaping (Failure?) -> Void) {
        let runner = request.runner
        witness.expect("CreateRunner") { rows in
            let row = try rows.runner(runner)
            return row?.state == .provisioning && row?.grant == request.grant && row?.trust == request.trust
        }
        if grants[request.grant, default: runner] != runner { Issue.record("a grant is in two containers") }
        grants[request.grant] = runner
        created.append(runner)
        epochs.append(request.epoch)
        trusts.append(request.trust)
        passedIn.append(request.devices)
        let isTaken = !taken.isDisjoint(with: request.devices)
        let failure =
            isTaken ? Failure(.conflict, "another runner's", place: "devices") : refusal(request.shape)
        if failure == nil, isReady, containers[runner] == nil {
            containers[runner] = .running
            if saysHello { loop.soon { self.relay?.takeStream(runner) } }
        }
        answer("create") { isConnected in done(isConnected ? failure : Self.gone) }
    }

    func attachRunner(_ runner: Bytes16, _ done: @escaping (Failure?) -> Void) {
        answer("attach") { isConnected in
            guard isConnected else { return done(Self.gone) }
            guard self.containers[runner] == .running else { return done(Failure(.runnerGone, "no such container")) }
            self.relay?.takeStream(runner)
            done(nil)
        }
    }

    func removeRunner(_ runner: Bytes16, _ done: @escaping (Failure?) -> Void) {
        witness.expect("RemoveRunner") { rows in
            let state = try rows.runner(runner)?.state
            return state == nil || state == .teardown
        }
        let failure = stuck.contains(runner) ? Failure(.engineUnavailable, "hangs") : removalFailure
        if isReady && failure == nil { containers[runner] = nil }
        answer("remove") { isConnected in done(isConnected ? failure : Self.gone) }
    }

    func listRunners(_ done: @escaping (Result<[SpawnerEdge.RunnerContainer], Failure>) -> Void) {
        let found = containers.map { SpawnerEdge.RunnerContainer(runner: $0.key, state: $0.value) }
        answer("list") { isConnected in done(isConnected ? .success(found) : .failure(Self.gone)) }
    }

    func describeHost(_ done: @escaping (Result<SpawnerEdge.DescribeHost.Reply, Failure>) -> Void) {
        answer("describe") { isConnected in
            guard isConnected else { return done(.failure(Self.gone)) }
            if let silence = self.silence { return done(.failure(silence)) }
            done(
                .success(
                    .init(
                        engine: "docker", engineVersion: "20.10", userNamespaces: true, cpus: self.cpus,
                        memoryBytes: 8 << 30, platforms: [.init(platform: .linuxAmd64, native: true)],
                        devices: self.devices)))
        }
    }

    var uses: [SpawnerEdge.DeviceUse] = []

    func readDevices(deadline: Duration, _ done: @escaping (Result<[SpawnerEdge.DeviceUse], Failure>) -> Void) {
        answer("devices") { isConnected in done(isConnected ? .success(self.uses) : .failure(Self.gone)) }
    }

    func watchExits(
        onItem: @escaping (SpawnerEdge.RunnerExit) -> Void, onEnd: @escaping (Failure?) -> Void
    ) {
        watcher = onItem
    }
}
