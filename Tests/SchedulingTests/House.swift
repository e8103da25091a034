// A scheduler on a real loop and a real database, with siblings from a script, and a client on the scheduler edge. It
// can be restarted: everything but the database and the siblings' world is made anew.

import Daemon
import Endpoints
import Files
import GRDB
import Link
import Posix
import Scheduling
import Store
import Testing
import Wire

final class House {
    let directory: TemporaryDirectory
    let witness: Witness
    let spawner: FakeSpawner
    let relay: FakeRelay
    let broker: FakeBroker
    let courier: FakeCourier
    var settings: SchedulerSettings
    private(set) var loop: PollLoop
    private(set) var store: Store
    private(set) var scheduler: Scheduler
    private var client: Connection<SchedulerEdge>
    private var server: Connection<SchedulerEdge>
    private let quiet: FileDescriptor
    let wall = WallClock()

    /// `directory`: one in which something lies already.
    init(
        maxRunners: Int = 2, in directory: TemporaryDirectory? = nil,
        _ adjust: (inout SchedulerSettings) -> Void = { _ in }
    ) throws {
        self.directory = try directory ?? TemporaryDirectory()
        var settings = SchedulerSettings(maxRunners: maxRunners)
        settings.retryShortest = .milliseconds(5)
        settings.retryLongest = .milliseconds(20)
        settings.attachPause = .milliseconds(5)
        settings.commitRetry = .milliseconds(5)
        settings.drain = .milliseconds(20)
        settings.commentPause = .milliseconds(5)
        settings.deliveriesPause = .milliseconds(5)
        settings.basePause = .milliseconds(5)
        settings.forgeRetryLongest = .milliseconds(20)
        adjust(&settings)
        self.settings = settings
        let loop = try PollLoop()
        self.loop = loop
        store = try Store(path: self.directory.database)
        witness = try Witness(self.directory.database)
        relay = FakeRelay(loop: loop, witness: witness)
        spawner = FakeSpawner(loop: loop, witness: witness)
        broker = FakeBroker(loop: loop, witness: witness)
        courier = FakeCourier(loop: loop)
        spawner.relay = relay
        spawner.broker = broker
        relay.broker = broker
        quiet = try Posix.open("/dev/null", [.writeOnly])
        scheduler = try Self.scheduler(loop, store, (spawner, relay, broker, courier), settings, quiet.raw, wall)
        (server, client) = try Self.connect(loop, scheduler)
        scheduler.start()
    }

    /// As after kill -9: nothing of the old process is left, and it has no chance to say goodbye.
    func restart() throws {
        loop = try PollLoop()
        spawner.loop = loop
        relay.loop = loop
        broker.loop = loop
        courier.loop = loop
        spawner.isReady = false
        relay.isReady = false
        broker.forget()
        courier.forget()
        store = try Store(path: directory.database)
        scheduler = try Self.scheduler(loop, store, (spawner, relay, broker, courier), settings, quiet.raw, wall)
        (server, client) = try Self.connect(loop, scheduler)
        scheduler.start()
    }

    private static func scheduler(
        _ loop: PollLoop, _ store: Store, _ siblings: (FakeSpawner, FakeRelay, FakeBroker, FakeCourier),
        _ settings: SchedulerSettings, _ log: Int32, _ wall: WallClock
    ) throws -> Scheduler {
        try Scheduler(
            loop: loop, store: store, instance: "test", spawner: siblings.0, relay: siblings.1, broker: siblings.2,
            courier: siblings.3, settings: settings,
            log: Log(process: "schedulerd", level: .debug, descriptor: log), wall: { wall.now })
    }

    private static func connect(
        _ loop: PollLoop, _ scheduler: Scheduler
    ) throws -> (Connection<SchedulerEdge>, Connection<SchedulerEdge>) {
        let pair = try Posix.socketPair()
        let server = try Connection<SchedulerEdge>(
            loop: loop, transport: SocketTransport(try pair.first.duplicate()), server: scheduler.handlers())
        let client = Connection<SchedulerEdge>(
            loop: loop, transport: SocketTransport(try pair.second.duplicate()), client: .apid)
        return (server, client)
    }

    // MARK: driving

    /// Runs passes until it is so. Ten seconds without are a failure of the test, not a sleep.
    func run(
        _ what: String = "", at location: SourceLocation = #_sourceLocation, until isSo: () throws -> Bool
    ) throws {
        let limit = Posix.monotonicNow() + 10_000_000_000
        while try !isSo() {
            guard Posix.monotonicNow() < limit else {
                Issue.record("did not come about: \(what)", sourceLocation: location)
                throw Failure(.deadlineExceeded, what)
            }
            loop.runPass(waiting: .milliseconds(2))
        }
    }

    /// Enough passes for everything that needs no clock.
    func settle() {
        for _ in 0..<20 { loop.runPass() }
    }

    func call<Call: WireCall>(_ request: Call) throws -> Call.Reply where Call.Edge == SchedulerEdge {
        var answer: Result<Call.Reply, Failure>?
        client.call(request) { result, _ in answer = result }
        try run("answer to \(Call.self)") { answer != nil }
        return try #require(answer).get()
    }

    /// A webhook whose body is this text.
    func deliver(_ text: String, project: String = "shop") throws -> SchedulerEdge.Deliver.Reply {
        let path = "\(directory.path)/delivery"
        try Posix.replaceFile(path, with: Array(text.utf8), mode: 0o600)
        var answer: Result<SchedulerEdge.Deliver.Reply, Failure>?
        let request = SchedulerEdge.Deliver(forge: .github, project: project, headers: [])
        client.call(request, fd: try Posix.open(path, [.readOnly])) { result, _ in answer = result }
        try run("answer to Deliver") { answer != nil }
        return try #require(answer).get()
    }

    /// The failure of a call that must fail.
    func failure<Call: WireCall>(_ request: Call) throws -> ErrorCode where Call.Edge == SchedulerEdge {
        do {
            _ = try call(request)
            Issue.record("\(Call.self) succeeded")
            return .internal
        } catch let failure as Failure {
            return failure.errorCode
        }
    }

    /// The number of descriptors that came with the reply.
    func callForFD<Call: WireCall>(_ request: Call) throws -> (Call.Reply, Int) where Call.Edge == SchedulerEdge {
        var answer: (Result<Call.Reply, Failure>, Int)?
        client.call(request) { result, fds in answer = (result, fds.count) }
        try run("answer to \(Call.self)") { answer != nil }
        let (result, count) = try #require(answer)
        return (try result.get(), count)
    }

    func send<Call: WireCall>(
        _ request: Call, _ done: @escaping (Result<Call.Reply, Failure>) -> Void
    ) where Call.Edge == SchedulerEdge {
        client.call(request) { result, _ in done(result) }
    }

    @discardableResult
    func watch(
        _ job: UInt64, token: String = Samples.token, _ onItem: @escaping (JobState) -> Void,
        _ onEnd: @escaping (Failure?) -> Void
    ) -> StreamHandle {
        client.open(
            SchedulerEdge.WatchJob(token: token, job: job), onItem: { onItem($0.state) }, onEnd: onEnd)
    }

    /// What Prometheus would be told.
    func metrics(token: String = Samples.token) throws -> String {
        var (text, end): (String, Result<Void, Failure>?) = ("", nil)
        client.open(
            SchedulerEdge.ReadMetrics(token: token), onItem: { text += $0.text },
            onEnd: { end = $0.map { .failure($0) } ?? .success(()) })
        try run("metrics") { end != nil }
        try end?.get()
        return text
    }

    func withoutCourier() {
        settle()
        courier.down()
    }

    // MARK: what tests ask for

    @discardableResult
    func submit(
        _ name: String = "hello", request: String? = nil, image: String = "busybox", timeout: UInt32 = 60,
        source: Source? = nil, secrets: [String] = [], project: String = "shop",
        _ adjust: (inout JobDefinition) -> Void = { _ in }
    ) throws -> UInt64 {
        var definition = Samples.definition(
            name, image: image, timeout: timeout, source: source, secrets: secrets, project: project)
        adjust(&definition)
        let order = secrets.isEmpty ? nil : Samples.order
        return try call(Samples.submission(request ?? name, definition, order: order)).job
    }

    /// Writes what schedulerd never writes, or what only much time would.
    func patch(_ sql: String) throws {
        let queue = try DatabaseQueue(path: directory.database)
        try queue.write { try $0.execute(sql: sql) }
    }

    func job(_ id: UInt64) throws -> JobRow { try #require(try witness.see { try $0.job(id) }) }

    func state(_ id: UInt64) throws -> JobState { try job(id).state }

    func runners() throws -> [RunnerRow] { try witness.see { try $0.runners() } }

    func run(_ id: UInt64, to state: JobState, at location: SourceLocation = #_sourceLocation) throws {
        try run("job \(id) to \(state)", at: location) { try self.state(id) == state }
    }

    /// A job whose runner has been told of it.
    func told(_ name: String = "hello", secrets: [String] = []) throws -> (job: UInt64, attempt: Attempt) {
        let job = try submit(name, secrets: secrets)
        try run("RunJob") { self.relay.jobs.keys.contains { $0.job == job } }
        return (job, try #require(relay.jobs.keys.first { $0.job == job }))
    }

    /// A job that runs.
    func running(_ name: String = "hello", secrets: [String] = []) throws -> (job: UInt64, attempt: Attempt) {
        let (job, attempt) = try told(name, secrets: secrets)
        relay.begin(attempt)
        try run(job, to: .running)
        return (job, attempt)
    }

    /// Nothing is left of any runner, here or there.
    func expectEmpty(at location: SourceLocation = #_sourceLocation) throws {
        try run("no runners", at: location) { try self.runners().isEmpty && self.spawner.containers.isEmpty }
        try run("no grants", at: location) { self.broker.directories.isEmpty }
    }
}

/// The clock on the wall, which may jump.
final class WallClock {
    var jump = Duration.zero
    var now: Int64 { Posix.wallMilliseconds() + jump.components.seconds * 1000 }
}
