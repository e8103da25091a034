// spawnerd: from a request to a running container, step by step, so that it can be killed between any two. The order
// and the fences are those of the real one (RunnerStart, SpawnService).

import Link
import Wire

final class Spawner: Peer {
    private unowned let house: Simulation
    private var engine: Engine { house.engine }
    /// Runners that are being made; true: given up meanwhile.
    private var starts: [Bytes16: Bool] = [:]
    private var afterwards: [Bytes16: [() -> Void]] = [:]
    private var highestEpoch: UInt64 = 0
    private var watcher: ((SpawnerEdge.RunnerExit) -> Void)?

    init(_ house: Simulation) {
        self.house = house
        super.init("spawnerd", house.world)
    }

    override func died() {
        starts = [:]
        afterwards = [:]
        watcher = nil
    }

    override func started() {
        highestEpoch = engine.containers.values.map(\.request.epoch).max() ?? 0
    }

    typealias Done = (Result<Void, Failure>) -> Void

    // MARK: a start

    func create(_ request: SpawnerEdge.CreateRunner, _ done: @escaping Done) {
        guard request.epoch >= highestEpoch else {
            return done(.failure(Failure(.conflict, "a scheduler with a later epoch was here", place: "epoch")))
        }
        guard starts[request.runner] == nil else { return done(.failure(Failure(.notReady, "is being made"))) }
        highestEpoch = request.epoch
        starts[request.runner] = false
        engine.ask({ self.made(request, $0, done) }, { .success(self.engine.create(request)) })
    }

    private func made(_ request: SpawnerEdge.CreateRunner, _ result: Result<Bool, Failure>, _ done: @escaping Done) {
        switch result {
        case .failure(let failure): fail(request.runner, failure, done)
        case .success:
            guard let container = engine.containers[request.runner] else {
                return fail(request.runner, Failure(.runnerGone, "it is gone"), done)
            }
            if container.state == .exited { return fail(request.runner, Failure(.runnerGone, "it has ended"), done) }
            if starts[request.runner] == true { return fail(request.runner, Failure(.runnerGone, "given up"), done) }
            handOver(container) { failure in
                if let failure { return self.fail(request.runner, failure, done) }
                if self.starts[request.runner] == true {
                    return self.fail(request.runner, Failure(.runnerGone, "given up"), done)
                }
                self.engine.ask(
                    { self.started(container, $0, done) },
                    {
                        container.start()
                        return .success(())
                    })
            }
        }
    }

    private func started(_ container: Container, _ result: Result<Void, Failure>, _ done: @escaping Done) {
        if case .failure(let failure) = result { return fail(container.runner, failure, done) }
        if starts[container.runner] == true {
            return fail(container.runner, Failure(.runnerGone, "given up"), done)
        }
        finish(container.runner, .success(()), done)
    }

    /// Nothing is left behind by a start that failed, if the engine allows.
    private func fail(_ runner: Bytes16, _ failure: Failure, _ done: @escaping Done) {
        engine.ask(
            { (_: Result<Void, Failure>) in self.finish(runner, .failure(failure), done) },
            {
                self.engine.remove(runner)
                return .success(())
            })
    }

    private func finish(_ runner: Bytes16, _ result: Result<Void, Failure>, _ done: Done) {
        starts[runner] = nil
        done(result)
        for body in afterwards.removeValue(forKey: runner) ?? [] { body() }
    }

    private func handOver(_ container: Container, _ done: @escaping (Failure?) -> Void) {
        let (own, relays) = (life, house.relay.life)
        world.after(world.between(50_000, 5 * .millisecond)) { [self] in
            guard house.relay.isUp, house.relay.life == relays else {
                return run(in: own) { done(Failure(.disconnected, "relayd is away")) }
            }
            house.relay.run(in: relays) { self.house.relay.attach(container) }
            run(in: own) { done(nil) }
        }
    }

    // MARK: the rest

    func attach(_ runner: Bytes16, _ done: @escaping Done) {
        engine.ask(
            { (result: Result<Container, Failure>) in
                switch result {
                case .failure(let failure): done(.failure(failure))
                case .success(let container): self.handOver(container) { done($0.map { .failure($0) } ?? .success(())) }
                }
            },
            {
                guard let container = self.engine.containers[runner] else {
                    return .failure(Failure(.runnerGone, "no such container"))
                }
                switch container.state {
                case .created: return .failure(Failure(.conflict, "never started"))
                case .running: return .success(container)
                case .exited: return .failure(Failure(.runnerGone, "it has ended"))
                }
            })
    }

    func remove(_ runner: Bytes16, _ done: @escaping Done) {
        if starts[runner] != nil {
            starts[runner] = true
            afterwards[runner, default: []].append { self.remove(runner, done) }
            return
        }
        // What is in it has to end first.
        engine.ask(done, taking: world.between(0, 800 * .millisecond)) {
            self.engine.remove(runner)
            return .success(())
        }
    }

    func list(_ done: @escaping (Result<[SpawnerEdge.RunnerContainer], Failure>) -> Void) {
        engine.ask(done) {
            .success(
                self.engine.containers.values.sorted { $0.runner.hex < $1.runner.hex }.map { container in
                    let state: SpawnerEdge.ContainerState =
                        switch container.state {
                        case .created: .created
                        case .running: .running
                        case .exited: .exited
                        }
                    return .init(runner: container.runner, state: state)
                })
        }
    }

    func describe(_ done: @escaping (Result<SpawnerEdge.DescribeHost.Reply, Failure>) -> Void) {
        engine.ask(done) { .success(self.engine.host) }
    }

    func watch(_ sink: @escaping (SpawnerEdge.RunnerExit) -> Void) {
        watcher = sink
        for container in engine.containers.values.sorted(by: { $0.runner.hex < $1.runner.hex }) {
            if container.state == .exited { tell(container) }
        }
    }

    /// schedulerd hears it.
    func hears(_ exit: SpawnerEdge.RunnerExit) { house.ends.heard(exit) }

    /// Its wait returns, when the engine lets it.
    func noticeExit(of container: Container) {
        let own = life
        world.after(world.between(.millisecond, 50 * .millisecond)) { [self] in
            run(in: own) {
                if self.engine.mood == .down || self.engine.mood == .hanging {
                    return self.world.after(.second) { self.noticeExit(of: container) }
                }
                self.tell(container)
            }
        }
    }

    private func tell(_ container: Container) {
        watcher?(
            .init(
                runner: container.runner, exitCode: container.exitCode, outOfMemory: container.outOfMemory, detail: ""))
    }
}
