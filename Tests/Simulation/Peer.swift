// A sibling as a process: it is up or not, it can be killed and stopped, and what it was doing dies with it.

import Wire

class Peer {
    let name: String
    let world: World
    private(set) var isUp = true
    /// One for each life.
    private(set) var life = 0
    private var isStopped = false
    private var backlog: [() -> Void] = []
    /// Of the scheduler that lives.
    weak var link: SimulatedLink?

    init(_ name: String, _ world: World) {
        self.name = name
        self.world = world
    }

    var isWell: Bool { isUp && !isStopped }

    /// Does what has come in from outside, now or when it is continued. Nothing if the life `life` is over.
    func run(in life: Int, _ body: @escaping () -> Void) {
        guard isUp, life == self.life else { return }
        if isStopped { backlog.append { self.run(in: life, body) } } else { body() }
    }

    func kill(for pause: Time) {
        guard isUp else { return }
        world.trace("\(name) is killed")
        isUp = false
        life += 1
        isStopped = false
        backlog = []
        died()
        link?.cut()
        world.after(pause) {
            self.world.trace("\(self.name) starts")
            self.isUp = true
            self.started()
            self.link?.connect()
        }
    }

    func stop(for pause: Time) {
        guard isUp, !isStopped else { return }
        world.trace("\(name) is stopped for \(pause.inSeconds) s")
        isStopped = true
        let stopped = life
        world.after(pause) {
            guard self.life == stopped else { return }
            self.world.trace("\(self.name) is continued")
            self.isStopped = false
            let waiting = self.backlog
            self.backlog = []
            for body in waiting { body() }
        }
    }

    /// For subclasses: memory is gone; a new life begins with what is on disk.
    func died() {}
    func started() {}
}
