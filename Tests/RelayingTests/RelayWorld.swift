// A relayd in the test's own thread, with schedulerd and spawnerd at its two edges; all on one loop.

import Daemon
import Endpoints
import Files
import Link
import LogStore
import Posix
import Relaying
import Synchronization
import Testing
import Wire

final class RelayWorld {
    let clock = ShiftedClock()
    let loop: PollLoop
    let directory: TemporaryDirectory
    var limits: RelayLimits
    private(set) var relay: Relay
    private(set) var scheduler: Connection<RelayEdge>
    private(set) var spawner: Connection<StreamEdge>
    private(set) var events: [RelayEdge.RelayEvent] = []
    let broker: FakeBroker
    private let daemonLog: FileDescriptor
    private let fault: DiskFault
    private var servers: [AnyObject] = []

    struct TimedOut: Error {
        let what: String
    }

    init(limits: RelayLimits = RelayLimits(), directory: TemporaryDirectory? = nil, diskBudget: Int = .max) throws {
        let clock = clock
        let loop = try PollLoop(clock: { clock.now })
        self.loop = loop
        self.limits = limits
        self.directory = try directory ?? TemporaryDirectory()
        fault = DiskFault(budget: diskBudget)
        let store = try LogStore(
            state: self.directory.path, limit: limits.logBytes, artifactLimit: limits.artifactBytes, disk: fault.disk)
        broker = try FakeBroker(loop, self.directory.path)
        daemonLog = try Posix.open(self.directory.path + "/daemon-log", [.readWrite, .create])
        let log = Log(process: "relayd", descriptor: daemonLog.raw)
        let maskClient = Relay.maskClient(loop, broker.path, limits, log)
        relay = Relay(
            loop: loop, store: store, sources: try SourceStore(state: self.directory.path), broker: maskClient,
            limits: limits, log: log)
        maskClient.start()
        let relayEnds = try Posix.socketPair()
        let relayFar = try relayEnds.second.duplicate()
        let relayServer = try Connection<RelayEdge>(
            loop: loop, transport: SocketTransport(relayEnds.keepFirst()), server: relay.schedulerHandlers())
        scheduler = Connection(loop: loop, transport: SocketTransport(relayFar), client: .schedulerd)
        let streamEnds = try Posix.socketPair()
        let streamFar = try streamEnds.second.duplicate()
        let streamServer = try Connection<StreamEdge>(
            loop: loop, transport: SocketTransport(streamEnds.keepFirst()), server: relay.spawnerHandlers())
        spawner = Connection(loop: loop, transport: SocketTransport(streamFar), client: .spawnerd)
        servers = [relayServer, streamServer, maskClient]
        scheduler.open(RelayEdge.WatchEvents()) { [weak self] item in
            self?.events.append(item.event)
        } onEnd: { _ in
        }
    }

    /// From now on nothing reaches the disk: what a kill leaves.
    func kill() { fault.kill() }
    var isDead: Bool { fault.isDead }
    func setFull(_ full: Bool) { fault.setFull(full) }

    /// Runs the loop until `condition` holds. The time is a bound for a broken relayd, nothing is measured.
    func until(_ what: String, _ condition: () -> Bool) throws {
        let end = Posix.monotonicNow() + 20_000_000_000
        while !condition() {
            guard Posix.monotonicNow() < end else { throw TimedOut(what: what) }
            loop.runPass(waiting: .milliseconds(50))
        }
    }

    func call<C: WireCall>(_ request: C) throws -> C.Reply where C.Edge == RelayEdge {
        try callWithFDs(request).0
    }

    func callWithFDs<C: WireCall>(_ request: C) throws -> (C.Reply, HeldFD) where C.Edge == RelayEdge {
        var answer: Result<C.Reply, Failure>?
        let held = HeldFD()
        scheduler.call(request) { result, fds in
            var fds = fds
            held.descriptor = fds.takeFirst()
            answer = result
        }
        try until("an answer to \(C.rule.name)") { answer != nil }
        guard let answer else { throw TimedOut(what: "an answer") }
        return (try answer.get(), held)
    }

    /// What spawnerd does.
    func attach(_ runner: ScriptedRunner, framed: Bool = true, pending: [UInt8] = []) throws {
        var answer: Result<StreamEdge.TakeStream.Reply, Failure>?
        let request = StreamEdge.TakeStream(
            runner: runner.id, framing: framed ? .dockerMultiplexed : .raw, pending: pending)
        spawner.call(request, fd: try runner.connect(framed: framed)) { result, _ in answer = result }
        try until("an answer to TakeStream") { answer != nil }
        _ = try answer?.get()
    }

    /// The same for a runner that is a process.
    func attach(_ runner: RunnerProcess) throws {
        var answer: Result<StreamEdge.TakeStream.Reply, Failure>?
        let request = StreamEdge.TakeStream(runner: runner.id, framing: .raw, pending: [])
        spawner.call(request, fd: try runner.stream.duplicate()) { result, _ in answer = result }
        try until("an answer to TakeStream") { answer != nil }
        _ = try answer?.get()
    }

    /// Passes of the loop in which something that is forbidden could happen.
    func settle() {
        for _ in 0..<20 { loop.runPass(waiting: .milliseconds(2)) }
    }

    /// Uploads an archive, all of it.
    func store(_ bytes: [UInt8]) throws -> Source {
        let (reply, sink) = try callWithFDs(RelayEdge.OpenUpload(size: UInt64(bytes.count)))
        try feed(bytes, to: sink)
        sink.close()
        return try call(RelayEdge.FinishUpload(upload: reply.upload)).source
    }

    /// Writes into a pipe that relayd reads on this very thread.
    func feed(_ bytes: [UInt8], to sink: HeldFD) throws {
        try Posix.setNonBlocking(sink.raw)
        var rest = bytes[...]
        while !rest.isEmpty {
            if case .bytes(let count) = try Posix.write(sink.raw, rest) { rest = rest.dropFirst(count) }
            loop.runPass()
        }
    }

    func readyCount(_ runner: Bytes16) -> Int {
        events.count { if case .runnerReady(let event) = $0 { event.runner == runner } else { false } }
    }

    func lost(_ runner: Bytes16) -> RelayEdge.RunnerLost? {
        for case .runnerLost(let event) in events where event.runner == runner { return event }
        return nil
    }

    func started(_ job: UInt64) -> Bool {
        events.contains { if case .jobStarted(let event) = $0 { event.attempt.job == job } else { false } }
    }

    func taken(_ job: UInt64) -> Bool {
        events.contains { if case .grantTaken(let event) = $0 { event.attempt.job == job } else { false } }
    }

    func finished(_ job: UInt64) -> RelayEdge.JobFinished? {
        for case .jobFinished(let event) in events where event.attempt.job == job { return event }
        return nil
    }
}

/// The real clock, and what a test has gone ahead of it.
final class ShiftedClock {
    private var ahead: UInt64 = 0

    var now: UInt64 { Posix.monotonicNow() + ahead }

    func advance(seconds: UInt64) { ahead += seconds * 1_000_000_000 }
}

/// A descriptor in a place that closures can write to.
final class HeldFD {
    var descriptor: FileDescriptor?
    var raw: Int32 { descriptor?.raw ?? -1 }
    func close() { descriptor = nil }
}

/// A disk that stops in the middle of a write, or is full.
final class DiskFault: Sendable {
    private struct State {
        var budget: Int
        var isFull = false
    }

    private let state: Mutex<State>

    init(budget: Int) {
        state = Mutex(State(budget: budget))
    }

    var isDead: Bool { state.withLock { $0.budget <= 0 } }
    func kill() { state.withLock { $0.budget = 0 } }
    func setFull(_ full: Bool) { state.withLock { $0.isFull = full } }

    var disk: Disk {
        Disk { [self] (raw, bytes, position) throws(StoreError) in
            let (room, isFull) = state.withLock { state in
                let room = min(bytes.count, max(0, state.isFull ? bytes.count / 2 : state.budget))
                if !state.isFull { state.budget -= bytes.count }
                return (room, state.isFull)
            }
            try stored { () throws(PosixError) in try Posix.pwriteAll(raw, bytes.prefix(room), at: position) }
            if room < bytes.count { throw isFull ? .full : .conflict("killed") }
        }
    }
}
