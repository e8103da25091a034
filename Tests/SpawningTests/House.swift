// spawnerd without a process: the service over real sockets between a scheduler and a relayd that the test plays.

import Daemon
import Devices
import Endpoints
import Link
import Posix
import Runtime
import SpawnPolicy
import Spawning
import Wire

final class House {
    let loop: PollLoop
    let service: SpawnService
    let scheduler: LinkClient<SpawnerEdge>
    /// What relayd was handed.
    private(set) var taken: [(runner: Bytes16, framing: StreamEdge.Framing, pending: [UInt8], fds: Int)] = []
    /// What relayd answers instead of success.
    var refusal: Failure?
    /// Called when relayd is handed a stream.
    var onTake: () -> Void = {}
    /// The streams that relayd holds.
    private(set) var streams: [Stream] = []
    private let directory: TemporaryDirectory
    private let relay: LinkClient<StreamEdge>
    private var spawnerServer: LinkServer<SpawnerEdge>?
    private var relayServer: LinkServer<StreamEdge>?

    final class Stream {
        let descriptor: FileDescriptor
        init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }
    }

    init(
        _ loop: PollLoop, _ runtime: any ContainerRuntime, _ site: SitePolicy,
        inventory: HostInventory = HostInventory(), gauges: DeviceGauges = DeviceGauges()
    ) throws {
        self.loop = loop
        directory = try TemporaryDirectory()
        let log = Log(process: "spawnerd-test", level: .error)
        relay = LinkClient(loop: loop, path: directory.path + "/stream", role: .spawnerd)
        service = SpawnService(
            loop: loop, runtime: runtime, site: site, inventory: inventory, gauges: gauges, relay: relay, log: log)
        scheduler = LinkClient(loop: loop, path: directory.path + "/spawner", role: .schedulerd)
        var handlers = Handlers<StreamEdge>()
        handlers.on(StreamEdge.TakeStream.self) { [unowned self] request, fds, responder in
            self.taken.append((request.runner, request.framing, request.pending, fds.count))
            self.onTake()
            if let refusal = self.refusal { return responder.fail(refusal) }
            var fds = fds
            if let descriptor = fds.takeFirst() { self.streams.append(Stream(descriptor)) }
            responder.reply(.init())
        }
        relayServer = try LinkServer(
            loop: loop, listener: try Posix.listenUnix(directory.path + "/stream", mode: 0o600),
            peerUID: Posix.userID, handlers: handlers)
        spawnerServer = try LinkServer(
            loop: loop, listener: try Posix.listenUnix(directory.path + "/spawner", mode: 0o600),
            peerUID: Posix.userID, handlers: service.handlers)
        relay.start()
        service.start()
        scheduler.start()
        try loop.run { self.relay.isReady && self.scheduler.isReady }
    }

    func call<Call: WireCall>(_ call: Call) throws -> Result<Call.Reply, Failure> where Call.Edge == SpawnerEdge {
        try loop.answer { done in scheduler.call(call, deadline: .seconds(60)) { result, _ in done(result) } }
    }

    /// Creates a runner of the tests' usual shape.
    func create(
        _ runner: Bytes16, epoch: UInt64 = 7, image: String = "bulkhead/busybox", profile: Profile = .strict,
        memory: UInt64 = 64 << 20, untrustedSteps: Bool = false, trust: Trust = .trusted, grant: Bytes16? = nil
    ) throws -> Result<SpawnerEdge.CreateRunner.Reply, Failure> {
        try call(
            Self.request(
                runner, epoch: epoch, image: image, profile: profile, memory: memory, untrustedSteps: untrustedSteps,
                trust: trust, grant: grant))
    }

    static func request(
        _ runner: Bytes16, epoch: UInt64 = 7, image: String = "bulkhead/busybox", profile: Profile = .strict,
        memory: UInt64 = 64 << 20, untrustedSteps: Bool = false, trust: Trust = .trusted, grant: Bytes16? = nil
    ) -> SpawnerEdge.CreateRunner {
        SpawnerEdge.CreateRunner(
            runner: runner, epoch: epoch,
            shape: RunnerShape(
                image: image, platform: hostPlatform == .amd64 ? .linuxAmd64 : .linuxArm64, profile: profile,
                resources: Resources(cpuMillis: 1000, memoryBytes: memory, pids: 64, diskBytes: 8 << 20),
                untrustedSteps: untrustedSteps, gpus: nil),
            // Where nothing is said of it, every runner has a grant of its own; its own number will do for it.
            trust: trust, grant: grant ?? runner, devices: [])
    }

    /// Follows the exits from now on.
    func watch() throws -> ExitLog {
        let log = ExitLog()
        scheduler.open(SpawnerEdge.WatchExits(), onItem: { log.exits.append($0.exit) }, onEnd: { log.end = $0 })
        return log
    }

    func close() {
        scheduler.stop()
        relay.stop()
        spawnerServer?.close()
        relayServer?.close()
    }
}

final class ExitLog {
    var exits: [SpawnerEdge.RunnerExit] = []
    var end: Failure?
}

func code<Value>(_ result: Result<Value, Failure>) -> ErrorCode? {
    if case .failure(let failure) = result { failure.errorCode } else { nil }
}
