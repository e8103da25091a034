// The spawner edge: what schedulerd may ask, and what happens then. Talks to schedulerd (server), relayd (client of the
// stream edge) and the engine (through Runtime). No byte that a job wrote ever comes here.

package import Daemon
package import Devices
package import Link
package import Posix
package import Runtime
package import SpawnPolicy
package import Wire

/// Lives on the loop's thread.
package final class SpawnService {
    let loop: PollLoop
    let runtime: any ContainerRuntime
    let site: SitePolicy
    let inventory: HostInventory
    private let gauges: DeviceGauges
    let relay: LinkClient<StreamEdge>
    let log: Log
    let knowledge: Knowledge
    let exits: ExitWatch
    private var starts: [Bytes16: RunnerStart] = [:]
    private var fence = GrantFence()
    private var leases = DeviceFence()
    private var highestEpoch: UInt64 = 0
    private var hasListed = false

    /// `relay` is started by the caller.
    package init(
        loop: PollLoop, runtime: any ContainerRuntime, site: SitePolicy, inventory: HostInventory,
        gauges: DeviceGauges, relay: LinkClient<StreamEdge>, log: Log
    ) {
        self.loop = loop
        self.runtime = runtime
        self.site = site
        self.inventory = inventory
        self.gauges = gauges
        self.relay = relay
        self.log = log
        knowledge = Knowledge(runtime)
        exits = ExitWatch(loop, runtime, site.instance, log)
    }

    /// Takes up what an earlier spawnerd left running.
    package func start() {
        listOnce { error in
            if let error { self.log.warning("the engine does not answer", ["error": "\(error)"]) }
        }
    }

    package var handlers: Handlers<SpawnerEdge> {
        var handlers = Handlers<SpawnerEdge>()
        handlers.on(SpawnerEdge.CreateRunner.self) { request, _, responder in
            self.create(request) { Self.answer(responder, $0.map { .init() }) }
        }
        handlers.on(SpawnerEdge.AttachRunner.self) { request, _, responder in
            self.attach(request.runner) { Self.answer(responder, $0.map { .init() }) }
        }
        handlers.on(SpawnerEdge.RemoveRunner.self) { request, _, responder in
            self.remove(request.runner) { Self.answer(responder, $0.map { .init() }) }
        }
        handlers.on(SpawnerEdge.ListRunners.self) { _, _, responder in
            self.list { Self.answer(responder, $0) }
        }
        handlers.on(SpawnerEdge.DescribeHost.self) { _, _, responder in
            self.describe { Self.answer(responder, $0) }
        }
        handlers.on(SpawnerEdge.ReadDevices.self) { _, _, responder in
            responder.reply(.init(devices: self.readDevices()))
        }
        handlers.on(SpawnerEdge.WatchExits.self) { _, sink in self.exits.add(sink) }
        return handlers
    }

    private static func answer<Reply>(_ responder: Responder<Reply>, _ result: Result<Reply, Failure>) {
        switch result {
        case .success(let reply): responder.reply(reply)
        case .failure(let failure): responder.fail(failure)
        }
    }

    private func name(_ runner: Bytes16) -> String {
        SpawnPolicy.containerName(runner: runner.hex, instance: site.instance)
    }

    // MARK: - Requests

    private func create(_ request: SpawnerEdge.CreateRunner, _ done: @escaping (Result<Void, Failure>) -> Void) {
        // The epochs of earlier schedulers stand in the labels: without having seen them, no fence.
        listOnce { error in
            if let error { return done(.failure(Failure(error))) }
            guard request.epoch >= self.highestEpoch else {
                return done(.failure(Failure(.conflict, "a scheduler with a later epoch was here", place: "epoch")))
            }
            guard self.starts[request.runner] == nil else {
                return done(.failure(Failure(.notReady, "this runner is being made", place: "runner")))
            }
            switch SpawnPolicy.plan(RunnerRequest(request), site: self.site, inventory: self.inventory) {
            case .failure(let denial): done(.failure(Failure(denial)))
            case .success(let plan):
                guard self.leases.areFree(request.devices, for: request.runner) else {
                    return done(.failure(Failure(.conflict, "a device is another runner's", place: "devices")))
                }
                guard self.fence.claim(request.grant, for: request.runner) else {
                    return done(.failure(Failure(.conflict, "the grant is another runner's", place: "grant")))
                }
                self.leases.take(request.devices, for: request.runner)
                // Only a request that may be made raises the fence: a refused one changes nothing.
                self.highestEpoch = request.epoch
                self.begin(request.runner, plan, done)
            }
        }
    }

    private func begin(_ runner: Bytes16, _ plan: RunnerPlan, _ done: @escaping (Result<Void, Failure>) -> Void) {
        let start = RunnerStart(self, runner, plan) { result in
            if self.starts[runner]?.leftNothing == true { self.release(runner) }
            self.starts[runner] = nil
            if case .failure(let failure) = result {
                let fields: KeyValuePairs = ["runner": runner.hex, "code": failure.errorCode.name, "why": failure.text]
                self.log.warning("no runner", fields)
            }
            done(result)
        }
        starts[runner] = start
        start.begin()
    }

    private func attach(_ runner: Bytes16, _ done: @escaping (Result<Void, Failure>) -> Void) {
        ours(runner) { result in
            switch result {
            case .failure(let failure): done(.failure(failure))
            case .success(let status) where status.state == .exited:
                done(.failure(Failure(.runnerGone, "the runner's container has ended")))
            case .success(let status) where status.state == .created:
                done(.failure(Failure(.conflict, "the runner was never started: create it again")))
            case .success(let status):
                self.runtime.attach(status.id) { result in
                    switch consume result {
                    case .failure(let error): done(.failure(Failure(error)))
                    case .success(let stream):
                        self.handOver(runner, stream) { done($0.map { .failure($0) } ?? .success(())) }
                    }
                }
            }
        }
    }

    private func remove(_ runner: Bytes16, _ done: @escaping (Result<Void, Failure>) -> Void) {
        if let start = starts[runner] {
            // It must not come into being behind our back: remove when it is over.
            start.isAbandoned = true
            start.afterwards.append { self.remove(runner, done) }
            return
        }
        exits.willStop(runner)
        removeOurs(runner) { result in
            if case .success = result {
                self.exits.forget(runner)
                self.release(runner)
            }
            done(result)
        }
    }

    private func list(_ done: @escaping (Result<SpawnerEdge.ListRunners.Reply, Failure>) -> Void) {
        runtime.list(instance: site.instance) { result in
            done(
                result.mapError { Failure($0) }.flatMap { containers in
                    let runners = containers.compactMap { container in
                        Bytes16(hex: container.runner).map {
                            SpawnerEdge.RunnerContainer(runner: $0, state: .init(container.state))
                        }
                    }
                    if runners.count > 1024 { return .failure(Failure(.limitReached, "more than 1024 runners")) }
                    return .success(.init(runners: runners))
                })
        }
    }

    private func describe(_ done: @escaping (Result<SpawnerEdge.DescribeHost.Reply, Failure>) -> Void) {
        knowledge.hostNow { result in
            done(
                result.mapError { Failure($0) }.flatMap { facts in
                    if facts.platforms.isEmpty { return .failure(Failure(.engineRefused, "an unknown processor")) }
                    return .success(
                        .init(
                            engine: facts.engine, engineVersion: facts.version, userNamespaces: facts.userNamespaces,
                            cpus: facts.cpus, memoryBytes: facts.memoryBytes,
                            platforms: facts.supported(self.inventory), devices: self.inventory.devices.map(\.wire)))
                })
        }
    }

    private func readDevices() -> [SpawnerEdge.DeviceUse] {
        inventory.devices.filter { leases.isHeld($0.id) }.map { device in
            let reading = gauges.read(device.id)
            return .init(
                id: device.id, busyPercent: reading.busyPercent, memoryUsedBytes: reading.memoryUsedBytes)
        }
    }

    // MARK: - Shared steps

    /// The runner's container, by name and then by its labels: names are anybody's who can reach the engine.
    func ours(_ runner: Bytes16, _ done: @escaping (Result<ContainerStatus, Failure>) -> Void) {
        runtime.status(name(runner)) { result in
            done(
                result.mapError { Failure($0) }.flatMap { status in
                    guard status.instance == self.site.instance, status.runner == runner.hex else {
                        return .failure(Failure(.conflict, "a container of this name is not ours", place: "runner"))
                    }
                    return .success(status)
                })
        }
    }

    /// Removes the runner's container, and no other. Succeeds if there is none.
    func removeOurs(_ runner: Bytes16, _ done: @escaping (Result<Void, Failure>) -> Void) {
        ours(runner) { result in
            switch result {
            case .success(let status): self.runtime.remove(status.id) { done($0.mapError { Failure($0) }) }
            case .failure(let failure) where failure.errorCode == .runnerGone: done(.success(()))
            case .failure(let failure): done(.failure(failure))
            }
        }
    }

    /// The runner's container is gone, or never was.
    private func release(_ runner: Bytes16) {
        fence.release(runner)
        leases.release(runner)
    }

    /// Gives a stream to relayd. Our copy of the descriptor is closed with the message.
    func handOver(_ runner: Bytes16, _ stream: consuming AttachedStream, _ done: @escaping (Failure?) -> Void) {
        let framing: StreamEdge.Framing = stream.framing == .raw ? .raw : .dockerMultiplexed
        guard stream.pending.count <= 2048 else { return done(Failure(.internal, "too much came before the stream")) }
        let request = StreamEdge.TakeStream(runner: runner, framing: framing, pending: stream.pending)
        relay.call(request, fd: stream.take(), deadline: .seconds(10)) { result, _ in
            if case .failure(let failure) = result { done(failure) } else { done(nil) }
        }
    }

    /// Runs `body` once the containers have been listed at least once.
    private func listOnce(_ body: @escaping (RuntimeError?) -> Void) {
        if hasListed { return body(nil) }
        exits.reconcile { result in
            switch result {
            case .success(let containers):
                self.take(containers)
                body(nil)
            case .failure(let error): body(error)
            }
        }
    }

    private func take(_ containers: [ListedContainer]) {
        hasListed = true
        for container in containers {
            highestEpoch = max(highestEpoch, container.epoch)
            guard let runner = Bytes16(hex: container.runner) else { continue }
            leases.take(container.devices, for: runner)
            guard let grant = Bytes16(hex: container.grant) else { continue }
            // Two containers of one grant were made by no spawnerd; schedulerd knows neither, and removes them.
            if !fence.claim(grant, for: runner) { log.warning("a grant in two runners", ["runner": runner.hex]) }
        }
    }
}
