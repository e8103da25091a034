// What goes wrong, and when: a plan made from the seed.

import Link
import Scheduling
import Wire

struct Faults {
    let house: Simulation
    private var world: World { house.world }

    init(_ house: Simulation) { self.house = house }

    /// `count` of them within `time`.
    func plan(_ count: Int, within time: Time) {
        for _ in 0..<count {
            world.after(world.between(0, time)) { happen() }
        }
    }

    private func happen() {
        switch world.below(26) {
        case 0...5: killScheduler()
        case 6: house.stopScheduler(for: pause())
        case 7: house.spawner.kill(for: world.between(0, 5 * .second))
        case 8: house.relay.kill(for: world.between(0, 5 * .second))
        case 9: house.broker.kill(for: world.between(0, 5 * .second))
        case 10: killAll()
        case 11: peer().stop(for: pause())
        case 12, 13: peer().link?.cut()
        case 14: peer().link?.endStreams()
        case 15: house.engine.become(world.pick([.slow, .hanging]), for: world.between(.second, 120 * .second))
        case 16: house.engine.become(world.pick([.refusing, .lying]), for: world.between(.second, 60 * .second))
        case 17: house.engine.crash(for: world.between(.second, 30 * .second))
        case 18: breakDisk()
        case 19: jumpClock()
        case 20: blockBroker()
        case 21: killContainer()
        case 22: plantContainer()
        case 23, 24: silenceContainer()
        default: world.chance(50) ? house.client.cancelAll() : drain()
        }
    }

    private func pause() -> Time { world.between(100 * .millisecond, 30 * .second) }

    private func peer() -> Peer { world.pick([house.spawner, house.relay, house.broker]) }

    private func killScheduler() {
        switch world.below(4) {
        case 0: house.life?.kill()
        case 1: house.life?.disk = .killsBefore
        case 2: house.life?.disk = .killsAfter
        default: house.life?.lastWords = world.below(6)
        }
    }

    private func killAll() {
        house.life?.kill()
        for peer in [house.spawner, house.relay, house.broker] where world.chance(70) {
            peer.kill(for: world.between(0, 3 * .second))
        }
    }

    private func breakDisk() {
        guard let life = house.life else { return }
        world.trace("the disk fails")
        life.disk = world.pick([.isFull, .fails])
        world.after(world.between(100 * .millisecond, 20 * .second)) {
            world.trace("the disk works again")
            life.disk = .works
        }
    }

    private func jumpClock() {
        let hour: Int64 = 3_600_000
        let jump = world.pick([hour, -hour, 87_600 * hour, -87_600 * hour])
        world.trace("the wall clock jumps by \(jump / hour) h")
        world.wallOffset += jump
    }

    private func blockBroker() {
        world.trace("brokerd releases nothing")
        house.broker.isBlocked = true
        world.after(world.between(.second, 30 * .second)) { house.broker.isBlocked = false }
    }

    private func killContainer() {
        let running = house.engine.running
        guard !running.isEmpty else { return }
        let container = world.pick(running)
        if world.chance(50) {
            container.exit(137)
        } else {
            world.trace("container \(container.name) is removed behind our back")
            house.engine.remove(container.runner)
        }
    }

    private func silenceContainer() {
        let running = house.engine.running
        guard !running.isEmpty else { return }
        world.pick(running).fallSilent(for: world.between(.second, 300 * .second))
    }

    private func plantContainer() {
        let shape = RunnerShape(
            image: "alpine", platform: .linuxAmd64, profile: .strict,
            resources: Resources(cpuMillis: 1000, memoryBytes: 64 << 20, pids: 64, diskBytes: 32 << 20),
            untrustedSteps: false, gpus: nil)
        house.engine.plant(
            .init(
                runner: world.id(), epoch: 1, shape: shape, trust: .untrusted, grant: world.id(), devices: []))
    }

    private func drain() {
        house.client.drain(true)
        world.after(world.between(.second, 30 * .second)) { house.client.drain(false) }
    }
}
