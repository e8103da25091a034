// A scheduler's connection to a sibling, as a stream socket is: in order while it holds, and cut at any moment. What
// was under way when it is cut has arrived or not; its answer never does.

import Link
import Posix
import Wire

class SimulatedLink {
    let world: World
    let life: SchedulerLife
    private let peer: Peer
    private(set) var isReady = false
    private(set) var lastFailure: Failure?
    var onUp: (() -> Void)?
    var onDown: ((Failure) -> Void)?

    private var isWanted = false
    private(set) var connection = 0
    private var calls = 0
    private var pending: [Int: (Failure) -> Void] = [:]
    private var streams: [(Failure?) -> Void] = []
    /// When the last message of each direction arrives.
    private var forth: Time = 0
    private var back: Time = 0

    init(_ life: SchedulerLife, _ peer: Peer) {
        world = life.world
        self.life = life
        self.peer = peer
        peer.link = self
    }

    func start() {
        isWanted = true
        connect()
    }

    func stop() {
        isWanted = false
        cut()
    }

    func connect() {
        world.after(world.between(100_000, 20 * .millisecond)) { [weak self] in
            guard let self, isWanted, !isReady, peer.isUp else { return }
            life.run {
                guard self.isWanted, !self.isReady, self.peer.isUp else { return }
                self.connection += 1
                self.isReady = true
                self.world.trace("link to \(self.peer.name) is up")
                self.onUp?()
            }
        }
    }

    /// The connection breaks; it comes back if the sibling is there.
    func cut() {
        guard isReady else { return }
        world.trace("link to \(peer.name) breaks")
        isReady = false
        connection += 1
        let failed = pending.sorted { $0.key < $1.key }.map(\.value)
        let ended = streams
        pending = [:]
        streams = []
        let failure = Failure(.disconnected, "\(peer.name) went away")
        lastFailure = failure
        life.run {
            for fail in failed { fail(failure) }
            for end in ended { end(failure) }
            self.onDown?(failure)
        }
        connect()
    }

    /// One request, which `serve` answers in the sibling.
    func call<Value>(
        _ what: @autoclosure () -> String, within limit: Duration, _ done: @escaping (Result<Value, Failure>) -> Void,
        _ serve: @escaping (_ answer: @escaping (Result<Value, Failure>) -> Void) -> Void
    ) {
        guard life.speaks() else { return }
        world.trace("-> \(peer.name): \(what())")
        guard isReady else {
            let failure = Failure(.disconnected, "\(peer.name) is away")
            return life.loop.soon { done(.failure(failure)) }
        }
        calls += 1
        let (number, sent, hearer) = (calls, connection, peer.life)
        pending[number] = { done(.failure($0)) }
        life.loop.after(limit) { [weak self] in
            self?.pending.removeValue(forKey: number)?(Failure(.deadlineExceeded, "no answer in time"))
        }
        forth = max(forth, world.now + latency())
        world.after(forth - world.now) { [self] in
            // What was in the socket of a connection that broke has been read or not.
            guard sent == connection || world.chance(50) else { return }
            peer.run(in: hearer) {
                serve { result in self.answer(number, sent) { done(result) } }
            }
        }
    }

    private func answer(_ number: Int, _ sent: Int, _ body: @escaping () -> Void) {
        back = max(back, world.now + latency())
        world.after(back - world.now) { [self] in
            guard sent == connection else { return }
            life.run {
                if sent == self.connection, self.pending.removeValue(forKey: number) != nil { body() }
            }
        }
    }

    /// The way for items of a stream that is opened now, as long as this connection holds.
    func stream<Item>(
        _ onItem: @escaping (Item) -> Void, _ onEnd: @escaping (Failure?) -> Void
    ) -> (Item) -> Void {
        streams.append(onEnd)
        let opened = connection
        return { [self] item in
            guard opened == connection else { return }
            back = max(back, world.now + latency())
            world.after(back - world.now) { [self] in
                life.run { if opened == self.connection { onItem(item) } }
            }
        }
    }

    /// The sibling has lost its patience with a stream, and keeps the connection.
    func endStreams() {
        let ended = streams
        streams = []
        life.run { for end in ended { end(Failure(.limitReached, "too slow")) } }
    }

    /// The scheduler is gone: nothing of it is held any more.
    func forget() {
        pending = [:]
        streams = []
        onUp = nil
        onDown = nil
    }

    private func latency() -> Time {
        world.chance(3) ? world.between(.millisecond, 300 * .millisecond) : world.between(20_000, 400_000)
    }
}
