// A broker as a child process, with the sockets, keys and directories that brokerd has. The listeners outlive it, as
// systemd's do.

import Daemon
import Endpoints
import Files
import Link
import LinkBlocking
import Orders
import Posix
import Processes
import Vault
import Wire

/// How a broker is started.
struct BrokerOptions {
    var dieAt: Point?
    var dieAfter = 0
    var wipes = true
    /// Seconds by which its clock is ahead.
    var clock = 0
}

final class BrokerHouse {
    let directory: TestDirectory
    let master: [UInt8]
    let admin: Person
    private let brokerListener: FileDescriptor
    private let maskListener: FileDescriptor
    private let forgeListener: FileDescriptor
    private(set) var pid: Int32?

    /// Everything that `bulkhead up` makes before the first start.
    init() throws {
        directory = try TestDirectory()
        master = try Posix.randomBytes(32)
        admin = Person(broker: try BrokerKeys(master: master).publicKey)
        for name in ["state", "grants", "keys"] { try Posix.mkdir("\(directory.path)/\(name)", mode: 0o700) }
        try directory.write("keys/current", master)
        try directory.write("bootstrap", Array(admin.bootstrap.text.utf8))
        brokerListener = try Posix.listenUnix("\(directory.path)/broker.socket", mode: 0o600)
        maskListener = try Posix.listenUnix("\(directory.path)/mask.socket", mode: 0o600)
        forgeListener = try Posix.listenUnix("\(directory.path)/forge.socket", mode: 0o600)
    }

    deinit {
        if let pid {
            try? Posix.kill(pid, Signal.kill)
            _ = Posix.wait(pid: pid)
        }
    }

    /// Starts a broker and waits until it serves. nil: it does; else how it ended before it did.
    @discardableResult
    func start(_ options: BrokerOptions = BrokerOptions()) throws -> Processes.ExitStatus? {
        let output = try Posix.pipe()
        let log = try Posix.open("\(directory.path)/stderr", [.writeOnly, .create, .truncate], mode: 0o600)
        var child = ChildSpec(
            executable: try Self.fixture(), arguments: ["broker-fixture"] + arguments(options),
            environment: ["LISTEN_FDS=3", "LISTEN_FDNAMES=broker:mask:forge"], stdout: output.second.raw,
            stderr: log.raw,
            descriptors: [brokerListener.raw, maskListener.raw, forgeListener.raw].enumerated().map {
                ($1, 3 + Int32($0))
            })
        child.pidVariable = "LISTEN_PID"
        let pid = try Posix.spawn(child)
        self.pid = pid
        let reader = output.keepFirst()
        var buffer = [UInt8](repeating: 0, count: 16)
        if case .bytes = try Posix.read(reader.raw, into: &buffer) { return nil }
        return wait()
    }

    private func arguments(_ options: BrokerOptions) -> [String] {
        [
            "--state", "\(directory.path)/state", "--grants", "\(directory.path)/grants",
            "--master-keys", "\(directory.path)/keys", "--bootstrap", "\(directory.path)/bootstrap",
            "--die-at", options.dieAt?.rawValue ?? "never", "--die-after", "\(options.dieAfter)",
            "--wipe", "\(options.wipes)", "--clock", "\(options.clock)",
        ]
    }

    /// The executable lies beside the test's own.
    private static func fixture() throws -> String {
        let own = CommandLine.arguments[0]
        guard let slash = own.lastIndex(of: "/") else { throw HarnessError(description: "no path in \(own)") }
        return own[..<slash] + "/broker-fixture"
    }

    /// Waits for its end.
    func wait() -> Processes.ExitStatus? {
        defer { pid = nil }
        return pid.flatMap { Posix.wait(pid: $0) }
    }

    /// As `kill -9`, or as a service manager does it.
    func stop(_ signal: Int32 = Signal.kill) throws {
        if let pid { try Posix.kill(pid, signal) }
        _ = wait()
    }

    func restart(_ options: BrokerOptions = BrokerOptions()) throws {
        try stop()
        if let status = try start(options) { throw HarnessError(description: "no restart: \(status)\n\(errors)") }
    }

    var errors: String { (try? directory.text("stderr")) ?? "" }

    func scheduler() throws -> BlockingClient<BrokerEdge> { try .init(path: "\(directory.path)/broker.socket") }
    func relay() throws -> BlockingClient<MaskEdge> { try .init(path: "\(directory.path)/mask.socket") }

    func courier() throws -> BlockingClient<ForgeEdge> { try .init(path: "\(directory.path)/forge.socket") }

    /// The files that lie in the grants, sealed or not.
    func grantFiles() throws -> [String] { try directory.files(below: "grants") }

    /// The lines of the audit log that tell of this event.
    func audited(_ event: AuditEvent) throws -> [String] {
        try directory.text("state/audit.log").split(separator: "\n").map(String.init)
            .filter { $0.contains(" event=\(event.rawValue) ") }
    }

    /// A house in which a broker serves and these secrets are set.
    static func running(_ secrets: [String: [UInt8]] = [:]) throws -> BrokerHouse {
        let house = try BrokerHouse()
        if let status = try house.start() { throw HarnessError(description: "no start: \(status)\n\(house.errors)") }
        let client = try house.scheduler()
        try client.reconcile([])
        for (name, value) in secrets { try client.execute(house.admin, try house.admin.set(name, value)) }
        return house
    }
}

extension BlockingClient<BrokerEdge> {
    func execute(_ person: Person, _ order: SealedOrder) throws(Failure) {
        _ = try call(BrokerEdge.Execute(token: person.token, order: order))
    }

    /// A ticket, by an order that the person seals now.
    func ticket(_ person: Person, _ wish: Wish) throws -> Ticket {
        try call(wish.vouch(person, order: try person.seal(wish.order))).message.ticket
    }

    func prepare(_ runner: Bytes16) throws(Failure) -> Bytes16 {
        try call(BrokerEdge.Prepare(runner: runner)).message.grant
    }

    func grant(_ ticket: Ticket, _ runner: RunnerSide, _ attempt: Attempt, taken: Bool = false) throws(Failure) {
        _ = try call(
            BrokerEdge.Grant(
                ticket: ticket, grant: runner.grant, runner: runner.id, attempt: attempt, taken: taken,
                values: nil))
    }

    func caller(_ token: String) throws(Failure) -> BrokerEdge.Caller {
        try call(BrokerEdge.VerifyToken(token: token)).message.caller
    }

    /// What schedulerd says first on every connection.
    func reconcile(_ live: [Bytes16]) throws(Failure) { _ = try call(BrokerEdge.Reconcile(live: live)) }
    func wipe(_ grant: Bytes16) throws(Failure) { _ = try call(BrokerEdge.Wipe(grant: grant)) }
    func discard(_ grant: Bytes16) throws(Failure) { _ = try call(BrokerEdge.Discard(grant: grant)) }

    func secrets(_ person: Person, project: String = "default") throws(Failure) -> [String] {
        try call(BrokerEdge.ListSecrets(token: person.token, project: project, after: "")).message.secrets.map(\.name)
    }
}

/// The code of the failure that `body` throws; nil if it does not.
func refusal(_ body: () throws -> Void) throws -> ErrorCode? {
    do {
        try body()
        return nil
    } catch let failure as Failure {
        return failure.errorCode
    }
}
