// The container engine: slow, down, hanging, refusing and lying, by turns. What spawnerd asks for happens when it
// happens, also if spawnerd has died meanwhile.

import Link
import Wire

final class Engine {
    enum Mood { case good, slow, down, hanging, refusing, lying }

    private unowned let house: Simulation
    private var world: World { house.world }
    private(set) var containers: [Bytes16: Container] = [:]
    /// Of another instance on the same engine.
    let strangers: Set<Bytes16>
    private(set) var mood = Mood.good
    /// It has said no to something at least once.
    private(set) var hasRefused = false
    /// Until then answers may come that it owes since it was slow.
    private var lateUntil: Time = 0
    var isWell: Bool { mood == .good && world.now > lateUntil }

    init(_ house: Simulation) {
        self.house = house
        strangers = Set((0..<3).map { _ in house.world.id() })
    }

    func become(_ mood: Mood, for pause: Time) {
        guard self.mood == .good else { return }
        world.trace("the engine is \(mood)")
        self.mood = mood
        world.after(pause) {
            self.world.trace("the engine is good again")
            self.mood = .good
        }
    }

    /// Every container dies with it, as without live-restore.
    func crash(for pause: Time) {
        become(.down, for: pause)
        for container in running { container.exit(137) }
    }

    var running: [Container] {
        containers.values.filter { $0.state == .running }.sorted { $0.runner.hex < $1.runner.hex }
    }

    /// One request of spawnerd's, in the life that asks. `work`: what it takes the engine even when it is good.
    func ask<Value>(
        _ answer: @escaping (Result<Value, Failure>) -> Void, taking work: Time = 0,
        _ body: @escaping () -> Result<Value, Failure>
    ) {
        let life = house.spawner.life
        let reply = { (result: Result<Value, Failure>, delay: Time) in
            self.world.after(delay - work) { self.house.spawner.run(in: life) { answer(result) } }
        }
        let delay = pause() + work
        if delay >= .second { lateUntil = max(lateUntil, world.now + 2 * delay) }
        world.after(delay) { [self] in
            switch mood {
            case .down: reply(.failure(Failure(.engineUnavailable, "connection refused")), delay)
            case .refusing where world.chance(50):
                hasRefused = true
                reply(.failure(Failure(.engineRefused, "no")), delay)
            // Done, and the answer is lost.
            case .lying where world.chance(50):
                _ = body()
                reply(.failure(Failure(.engineUnavailable, "half an answer")), delay)
            default: reply(body(), delay)
            }
        }
    }

    private func pause() -> Time {
        switch mood {
        case .slow: world.between(.second, 20 * .second)
        case .hanging: world.between(30 * .second, 150 * .second)
        default: world.between(.millisecond, 40 * .millisecond)
        }
    }

    // MARK: the machine

    let host = SpawnerEdge.DescribeHost.Reply(
        engine: "simulated", engineVersion: "1", userNamespaces: true, cpus: 4, memoryBytes: 8 << 30,
        platforms: [.init(platform: .linuxAmd64, native: true)],
        devices: ["gpu-a", "gpu-b"].map { .init(id: $0, vendor: .nvidia, name: "card", memoryBytes: 1) })

    /// All of the machine, with processors promised twice and a tenth of the memory left to the house.
    func canEverHold(_ shape: RunnerShape) -> Bool {
        shape.resources.cpuMillis <= 8000 && shape.resources.memoryBytes <= (8 << 30) / 10 * 9
    }

    // MARK: containers

    /// False if the name is taken.
    func create(_ request: SpawnerEdge.CreateRunner) -> Bool {
        guard containers[request.runner] == nil else { return false }
        containers[request.runner] = Container(request, house)
        return true
    }

    func remove(_ runner: Bytes16) {
        if strangers.contains(runner) { world.violated("another instance's container is removed") }
        containers.removeValue(forKey: runner)?.remove()
    }

    /// Somebody has planted a container that carries our labels.
    func plant(_ request: SpawnerEdge.CreateRunner) {
        world.trace("a container \(request.runner.hex.prefix(6)) is planted")
        let container = Container(request, house)
        containers[request.runner] = container
        container.start()
    }
}
