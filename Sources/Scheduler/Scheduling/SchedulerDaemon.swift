// What main.swift puts together: settings, database, siblings, server.

package import Daemon
import Files
package import Link
package import Posix
import Store
package import Wire

/// The parts of one schedulerd.
package struct SchedulerDaemon {
    package let loop: PollLoop
    private let scheduler: Scheduler

    /// Never released: closing the database starts threads of the dispatch library, and the profile has no room for
    /// their calls; a slow end would be a death by SIGSYS. What was not closed is opened again like the database of a
    /// process that was killed.
    private nonisolated(unsafe) static var kept: Store?

    /// The settings of the command line.
    package static var keys: [Key] {
        [
            .required("state", .path, "Directory of the database; of this user, mode 0700"),
            .optional("instance", .string, "Name of this instance; made at the first start if it is not given"),
            .required("broker-socket", .path, "Socket of brokerd"),
            .required("spawner-socket", .path, "Socket of spawnerd"),
            .required("relay-socket", .path, "Socket of relayd"),
            .required("courier-socket", .path, "Socket of courierd"),
            .required("apid-uid", .uid, "The only user that may use the scheduler edge"),
            .optional(
                "max-runners", .int(1...SchedulerSettings.runnersAtMost),
                "Runners at once; if it is not given, as many as the machine has room for"),
            .defaulted(
                "cpu-percent", .int(10...1000, unit: "percent"), "200",
                "Of the machine's processors, what all runners together may be promised"),
            .defaulted(
                "memory-percent", .int(10...100, unit: "percent"), "90",
                "Of the machine's memory, what all runners together may have"),
            .defaulted(
                "max-idle-runners", .int(0...SchedulerSettings.runnersAtMost), "0",
                "Runners that are made in advance and wait, in all"),
            .optional(
                "idle", .list, "How many of these wait at most for an image: IMAGE=NUMBER"),
            .defaulted(
                "cooldown", .int(1...604_800, unit: "seconds"), "300",
                "How long after its last use a pool keeps runners that wait"),
            .optional(
                "public-url", .string, "Where people see this house, for the links at forges: https://ci.example.org"),
            .defaulted(
                "poll-seconds", .int(1...86_400, unit: "seconds"), "10",
                "From one question what is new at a polled forge to the next"),
            .optional("tags", .list, "What this host has, for jobs that ask for it"),
            .optional("retention", .int(1...36_500, unit: "days"), "How long ended jobs and their logs are kept"),
        ]
    }

    /// Ends the process, with the status of a wrong command line, if only somebody can mend what is in the way.
    package init(_ daemon: Startup) throws {
        let configuration = daemon.configuration
        let state = configuration.path("state")
        // Nobody else reads the database, whatever the directory's mode.
        Posix.setFileCreationMask(0o077)
        do {
            let store = try Store(path: Self.database(state)) { Self.giveUp($0, state, daemon) }
            Self.kept = store
            loop = try PollLoop()
            scheduler = try Scheduler(
                loop: loop, store: store, instance: try Self.instance(configuration.optionalString("instance"), store),
                spawner: SpawnerClient(loop: loop, path: configuration.path("spawner-socket")),
                relay: RelayClient(loop: loop, path: configuration.path("relay-socket")),
                broker: BrokerClient(loop: loop, path: configuration.path("broker-socket")),
                courier: CourierClient(loop: loop, path: configuration.path("courier-socket")),
                settings: try Self.settings(configuration), log: daemon.log,
                highWater: try HighWater(path: state + "/high-water"))
        } catch let error as StoreError {
            Self.giveUp(error, state, daemon)
        } catch let error as Failure {
            daemon.giveUp("\(error.place): \(error.text)", status: Self.configurationIsWrong)
        }
    }

    /// EX_USAGE: no other start can cure it.
    private static let configurationIsWrong: Int32 = 64

    private static func database(_ state: String) -> String { state + "/scheduler.sqlite" }

    private static func giveUp(_ error: StoreError, _ state: String, _ daemon: Startup) -> Never {
        let what = "\(database(state)): \(error)"
        guard let remedy = error.remedy else { daemon.giveUp(what) }
        daemon.giveUp("\(what); \(remedy)", status: configurationIsWrong)
    }

    private static func settings(_ configuration: Configuration) throws -> SchedulerSettings {
        var settings = SchedulerSettings(maxRunners: configuration.optionalInt("max-runners"))
        settings.cpuPercent = configuration.int("cpu-percent")
        settings.memoryPercent = configuration.int("memory-percent")
        settings.maxIdleRunners = configuration.int("max-idle-runners")
        settings.cooldown = .seconds(configuration.int("cooldown"))
        settings.tags = Set(configuration.list("tags"))
        settings.retention = configuration.optionalInt("retention").map { .seconds($0 * 86_400) }
        settings.pollPause = .seconds(configuration.int("poll-seconds"))
        settings.publicURL = try publicURL(configuration.optionalString("public-url"))
        for entry in configuration.list("idle") {
            let parts = entry.split(separator: "=", omittingEmptySubsequences: false)
            guard parts.count == 2, let number = Int(parts[1]), (0...SchedulerSettings.runnersAtMost).contains(number),
                !parts[0].isEmpty
            else { throw Failure(.invalid, "'\(entry)' is not IMAGE=NUMBER", place: "--idle") }
            settings.idleOfImage[String(parts[0])] = number
        }
        return settings
    }

    private static func publicURL(_ given: String?) throws -> String? {
        guard var url = given else { return nil }
        while url.hasSuffix("/") { url.removeLast() }
        let isPlain = url.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"\"'<>()`\\".utf8.contains($0) }
        guard url.hasPrefix("https://") || url.hasPrefix("http://"), isPlain, url.utf8.count <= 400 else {
            throw Failure(.invalid, "'\(url)' is not a URL like https://ci.example.org", place: "--public-url")
        }
        return url
    }

    /// The given name, else the one from before, else a new one: containers carry it as their label.
    private static func instance(_ given: String?, _ store: Store) throws -> String {
        if let given {
            let plain = Set("abcdefghijklmnopqrstuvwxyz0123456789-".utf8)
            let isPlain = given.utf8.allSatisfy(plain.contains)
            if given.isEmpty || given.utf8.count > 64 || !isPlain {
                throw Failure(.invalid, "an instance's name has 1 to 64 of a-z, 0-9 and -", place: "--instance")
            }
            return given
        }
        var found: String?
        try store.write { found = try $0.instance() }
        return found ?? String(Bytes16.random().hex.prefix(16))
    }

    /// Answers apid, and nobody else. apid carries the requests of many: a large window, and few connections (one, and
    /// those of an apid that has just died), so that a full queue on each stays within what a host can spare.
    package func serve(_ listener: consuming FileDescriptor, peerUID: UInt32) throws -> LinkServer<SchedulerEdge> {
        try LinkServer(
            loop: loop, listener: listener, peerUID: peerUID, handlers: scheduler.handlers(), connectionLimit: 4,
            settings: LinkSettings(window: 1_024))
    }

    package func start() { scheduler.start() }

    /// After the loop has stopped: takes the runners along that wait without a job, for at most this long. What is left
    /// then, the next start finds.
    package func leave(within limit: Duration = .seconds(8)) {
        scheduler.leave()
        let end = ContinuousClock.now + limit
        repeat { loop.runPass(waiting: .milliseconds(20)) } while scheduler.isClearing && ContinuousClock.now < end
        scheduler.closeBooks()
    }
}
