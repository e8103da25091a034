// One life of schedulerd: the real Scheduler on the real Store, on a loop whose clock is the world's. It can be killed
// between any two things that others see of it: before a commit, after it, and between two messages.

import Daemon
import Endpoints
import Link
import Posix
import Scheduling
import Store
import Wire

final class SchedulerLife {
    let world: World
    let loop: PollLoop
    let store: Store
    private(set) var scheduler: Scheduler?
    private var connections: [Connection<SchedulerEdge>] = []
    private var links: [SimulatedLink] = []
    private(set) var isAlive = true
    private(set) var isStopped = false
    private var backlog: [() -> Void] = []

    /// Messages that it still sends; nil: no end is near.
    var lastWords: Int?
    /// What the next commits meet.
    var disk: Disk = .works

    enum Disk { case works, isFull, fails, killsBefore, killsAfter }

    init(_ house: Simulation, settings: SchedulerSettings) throws {
        world = house.world
        let world = world
        loop = try PollLoop(clock: { world.now })
        store = try Store(path: house.database)
        store.beforeCommit = { [weak self] in try self?.beforeCommit() }
        let (spawner, relay) = (SpawnerSide(self, house.spawner), RelaySide(self, house.relay))
        let broker = BrokerSide(self, house.broker)
        links = [spawner, relay, broker]
        let scheduler = try Scheduler(
            loop: loop, store: store, instance: "simulated", spawner: spawner, relay: relay, broker: broker,
            courier: AbsentCourier(loop: loop), settings: settings,
            log: Log(process: "schedulerd", level: house.logLevel, descriptor: house.logDescriptor),
            wall: { world.wall }, newID: { world.id() })
        self.scheduler = scheduler
        world.trace("schedulerd starts, epoch \(scheduler.epoch)")
        scheduler.start()
    }

    /// A client on the scheduler edge, over a real connection.
    func connect() throws -> Connection<SchedulerEdge>? {
        guard let scheduler else { return nil }
        let pair = try Posix.socketPair()
        let server = try Connection<SchedulerEdge>(
            loop: loop, transport: SocketTransport(try pair.first.duplicate()), server: scheduler.handlers())
        let client = Connection<SchedulerEdge>(
            loop: loop, transport: SocketTransport(try pair.second.duplicate()), client: .apid)
        connections += [server, client]
        return client
    }

    private func beforeCommit() throws {
        switch disk {
        case .works: return
        case .isFull: throw StoreError.full
        case .fails: throw StoreError.input("I/O error")
        case .killsBefore:
            kill()
            throw StoreError.input("killed")
        case .killsAfter: kill()
        }
    }

    /// From here on nobody hears of it, and it hears of nothing.
    func kill() {
        guard isAlive else { return }
        world.trace("schedulerd is killed")
        isAlive = false
        backlog = []
    }

    /// Takes it apart: only the database is left.
    func bury() {
        for connection in connections { connection.close(nil) }
        connections = []
        scheduler = nil
        for link in links { link.forget() }
        links = []
        backlog = []
    }

    /// False if it has died. To be asked before each message.
    func speaks() -> Bool {
        if let left = lastWords {
            if left <= 0 { kill() }
            lastWords = left - 1
        }
        return isAlive
    }

    /// Something comes in from outside.
    func run(_ body: @escaping () -> Void) {
        guard isAlive else { return }
        if isStopped { backlog.append(body) } else { body() }
    }

    func stop() { isStopped = true }

    func goOn() {
        guard isAlive, isStopped else { return }
        isStopped = false
        let waiting = backlog
        backlog = []
        for body in waiting { body() }
    }

    /// Everything that can be done without time passing.
    func passes() {
        for _ in 0..<3 where isAlive && !isStopped { loop.runPass() }
    }

    /// When it has something to do by itself.
    var nextDeadline: Time? { isAlive && !isStopped ? loop.nextDeadline : nil }
}
