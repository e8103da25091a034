// One run: a house, its work, its faults, and then quiet, in which everything has to come to an end.

import Daemon
import Files
import Posix
import Scheduling
import Store
import Wire

final class Simulation {
    let world: World
    let database: String
    let logLevel: LogLevel
    let logDescriptor: Int32
    let kind: Kind

    enum Kind {
        case usual
        /// Without faults: three projects compete for one runner.
        case rush
        /// Most jobs need a device, and there are two.
        case cards
    }

    private(set) var life: SchedulerLife?
    private let settings: SchedulerSettings
    private var isStarting = false
    private(set) var restarts = 0
    private(set) var commits = 0
    // Made once all of the above is there; they know the house.
    private(set) lazy var spawner = Spawner(self)
    private(set) lazy var relay = Relay(self)
    private(set) lazy var broker = Broker(self)
    private(set) lazy var engine = Engine(self)
    private(set) lazy var client = Client(self)
    private(set) lazy var forge = Forge(self)
    private(set) lazy var hooks = Hooks(self)
    private(set) lazy var checker = Checker(self)
    private(set) lazy var ends = Ends(self)
    private(set) lazy var courses = Courses(world)

    /// After the last fault, everything has to be over in this time.
    private static let patience: Time = 3 * 3600 * .second
    /// When nothing has been wrong for so long, every runner is heard: nothing is left to a job's own timeout.
    private static let silence: Time = 30 * .second
    private var wholeSince: Time?

    init(seed: UInt64, database: String, isTraced: Bool, log: Int32) {
        world = World(seed: seed, isTraced: isTraced)
        self.database = database
        logLevel = isTraced ? .debug : .error
        logDescriptor = isTraced ? 1 : log
        kind =
            switch seed % 16 {
            case 0: .rush
            case 4, 12: .cards
            default: .usual
            }
        var settings = SchedulerSettings(maxRunners: kind == .rush ? 1 : 1 + world.below(5))
        settings.maxIdleRunners = kind == .rush ? 0 : world.below(3)
        settings.cooldown = .seconds(20)
        self.settings = settings
    }

    /// nil, or what must not have happened.
    func run() throws -> String? {
        try start()
        let busy = 60 * Time.second
        if kind == .rush {
            for number in 0..<12 { world.after(.second + Time(number)) { self.client.submit() } }
        } else {
            for _ in 0..<(2 + world.below(8)) {
                world.after(world.between(0, busy / 2)) { self.client.submit() }
            }
            for _ in 0..<world.below(7) { world.after(world.between(0, busy / 2)) { self.forge.happen() } }
            Faults(self).plan(world.below(9), within: busy)
        }
        let calm = world.now + busy
        var next = calm
        while world.violation == nil {
            try step()
            lookWhoIsHeard()
            guard world.now >= next else { continue }
            let remains = try checker.remains()
            if remains.isEmpty { break }
            next = world.now + 10 * .second
            if world.now > calm + Self.patience { world.violated("left: \(remains.joined(separator: "; "))") }
        }
        if let life { try look(life) }
        if kind == .rush { checker.checkFairness() }
        life?.kill()
        life?.bury()
        life = nil
        world.end()
        return world.violation
    }

    /// Time goes on to whatever comes next.
    private func step() throws {
        let next = [world.nextEvent, life?.nextDeadline].compactMap { $0 }.min()
        world.advance(to: max(next ?? world.now + .second, world.now))
        guard let life else { return }
        let before = life.scheduler?.batch.commits ?? 0
        life.passes()
        if let count = life.scheduler?.batch.untakenCount, count > 0 {
            world.violated("schedulerd could not take what it was told, or did")
        }
        let new = (life.scheduler?.batch.commits ?? 0) - before
        commits += new
        if new > 0 && world.below(8) == 0 { try look(life) }
        if !life.isAlive { died() }
    }

    private func lookWhoIsHeard() {
        let isWhole = life?.isStopped == false && engine.isWell && [spawner, relay, broker].allSatisfy(\.isWell)
        wholeSince = isWhole ? wholeSince ?? world.now : nil
        if let wholeSince, world.now - wholeSince > Self.silence { checker.everyRunnerIsHeard() }
    }

    private func look(_ life: SchedulerLife) throws {
        try life.store.read { try checker.look($0) }
    }

    // MARK: schedulerd

    private func start() throws {
        isStarting = false
        let life = try SchedulerLife(self, settings: settings)
        self.life = life
        let connection = try life.connect()
        client.connect(connection)
        forge.connect(connection)
        try look(life)
    }

    private func died() {
        guard let life else { return }
        life.bury()
        self.life = nil
        restarts += 1
        client.connect(nil)
        forge.connect(nil)
        world.after(world.between(0, 3 * .second)) {
            do { try self.start() } catch { self.world.violated("schedulerd does not start: \(error)") }
        }
    }

    func stopScheduler(for pause: Time) {
        guard let life, !life.isStopped else { return }
        world.trace("schedulerd is stopped for \(pause.inSeconds) s")
        life.stop()
        world.after(pause) {
            self.world.trace("schedulerd is continued")
            life.goOn()
        }
    }
}
