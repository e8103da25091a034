// The one start-up sequence. Every daemon's main.swift has the same numbered beats, and is at most 60 lines:
//
//     1. configuration: read by Startup; all mistakes at once, exit 64
//     2. sockets and files that are inherited
//     3. users and capabilities  4. every other descriptor  5. no new privileges, limits, not dumpable, then the paths
//        that may be opened and the system calls that may be made: `confine`
//     6. the peers: the poll loop, the service, its servers and clients
//     7. the loop: until SIGTERM or SIGINT
//
// bulkhead-relayd's main.swift is the one to look at first.
//
// The body is a closure, since descriptors are noncopyable and top-level variables cannot be given away. What a daemon
// opens by itself later (a database) needs no place in the list of beat 4, which is about what it inherited, but one
// among the paths of beat 5. apid has the same shape: its link's loop runs here, on the main thread, and what is
// asynchronous is started behind beat 5. An asynchronous main would not do: it never runs on the main thread, whose
// privileges would stay.
import Glibc
package import Posix
package import Sandbox

/// A daemon on its way up.
package struct Startup: Sendable {
    /// The daemon's name, as in `ps`.
    package let name: String
    package let configuration: Configuration
    package let log: Log

    private static let stopSignals = [Signal.terminate, Signal.interrupt]
    private static let common: [Key] = [
        .defaulted("log-level", .choice(LogLevel.allCases.map(\.name)), "info", "Records below it are not written"),
        .defaulted(
            "sandbox", .choice(Reaction.allCases.map(\.rawValue)), "kill",
            "What a system call outside the profile does: end the daemon, or have it name the call first"),
    ]

    /// Reads the configuration, runs `body`, and exits: 0 when it returns, 1 when it throws (with a record that says
    /// why), 64 when the command line is wrong. SIGTERM and SIGINT are blocked before any thread can exist; `run` takes
    /// them.
    package static func main(
        _ name: String, about: String, keys: [Key], arguments: [String] = Array(CommandLine.arguments.dropFirst()),
        _ body: (Startup) throws -> Void
    ) -> Never {
        let daemon = begin(name, about, keys, arguments)
        do {
            try Posix.blockSignals(stopSignals)
            try body(daemon)
        } catch {
            daemon.giveUp("\(error)", status: error is ConfigurationError ? EX_USAGE : 1)
        }
        exit(0)
    }

    /// Beat 2: takes a socket that was passed to this process.
    package func listener(_ name: String, _ kind: ListenerKind = .unix) throws(ActivationError) -> FileDescriptor {
        try Activation.listener(name, kind)
    }

    /// Beats 3 to 5: refuses to be root (who starts a daemon gives it its user), gives up every capability, closes all
    /// descriptors but 0, 1, 2 and `keep`, and takes no-new-privileges, the limits, and not dumpable. From then on
    /// nothing can be opened but what lies below `reads` and `writes` (of a kernel that cannot see to that, the log
    /// tells), and no system call be made but those of `profile`. Throws if another thread runs already: it would keep
    /// what this one gives up.
    ///
    /// `openFiles` bounds what a flood of connections can take. `connects`: it may make TCP connections by itself.
    package func confine(
        keeping keep: [Int32], profile: Profile, reads: [String] = [], writes: [String] = [], openFiles: UInt64 = 4096,
        connects: Bool = false
    ) throws(SandboxError) {
        try Sandbox.requireSingleThread()
        try confineThread(keeping: keep, openFiles: openFiles)
        try Sandbox.crashPlainly()
        try confinePaths(reads: reads, writes: writes, connects: connects)
        // The last step: it would forbid the others.
        let reaction = Reaction(rawValue: configuration.string("sandbox")) ?? .kill
        try Sandbox.permitOnly(profile, otherwise: reaction)
    }

    /// The steps of `confine` that processes with other threads can take, too: the runner of tests has some.
    package func confineThread(keeping keep: [Int32], openFiles: UInt64 = 4096) throws(SandboxError) {
        try Sandbox.refuseRoot()
        try Sandbox.dropAllCapabilities()
        try Sandbox.closeAllExcept(keep)
        try Sandbox.noNewPrivileges()
        try Sandbox.setLimits(openFiles: openFiles)
        try Sandbox.notDumpable()
    }

    private func confinePaths(reads: [String], writes: [String], connects: Bool) throws(SandboxError) {
        switch try Sandbox.openOnly(reads: reads, writes: writes, connects: connects) {
        case .full: break
        case .partial(let version, let lacks):
            log.warning(
                "this kernel confines what may be opened in part",
                ["landlock": "\(version)", "lacks": lacks.joined(separator: ", ")])
        case .none(let why):
            log.warning(
                "this kernel does not confine what may be opened (no Landlock); users and modes still do", ["why": why])
        }
    }

    /// Beat 7: tells the service manager that we are ready and runs the loop until SIGTERM or SIGINT. `onStop` is
    /// called then, on the loop, before it ends; a second signal ends the process at once.
    package func run(_ loop: PollLoop, onStop: @escaping () -> Void = {}) throws {
        var stopping = false
        let log = log
        try loop.onSignals(Self.stopSignals) { signal in
            if stopping { exit(128 + signal.number) }
            stopping = true
            log.info("stopping", ["signal": "\(signal.number)"])
            onStop()
            loop.stop()
        }
        ready()
        loop.run()
        log.info("stopped")
    }

    /// Tells the service manager and the log that the daemon answers.
    private func ready() {
        do {
            try Notify.ready()
        } catch {
            log.warning("the service manager could not be told", ["error": "\(error)"])
        }
        log.info("ready", ["pid": "\(Posix.processID)", "uid": "\(Posix.userID)"])
    }

    private static func begin(_ name: String, _ about: String, _ keys: [Key], _ arguments: [String]) -> Startup {
        let configuration = Configuration.read(name, about: about, arguments: arguments, keys: keys + common)
        let level = LogLevel.allCases.first { $0.name == configuration.string("log-level") } ?? .info
        return Startup(name: name, configuration: configuration, log: Log(process: name, level: level))
    }

    /// `status`: 64 for what no other start can cure.
    package func giveUp(_ why: String, status: Int32 = 1) -> Never {
        log.error("cannot run", ["error": why])
        exit(status)
    }
}
