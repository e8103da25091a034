// Up: starts the house and keeps it standing until it is told to stop.

import ArgumentParser
import Foundation

struct Up: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Start all daemons; Ctrl-C or SIGTERM stops them.",
        discussion: """
            As root each daemon runs under a user of its own. As anybody else they all run
            as you: then a daemon that is taken over can reach the files and the memory of
            the others, and what keeps jobs apart is the engine alone.

            The first start makes, in the state directory, admin-token (sent with each
            request), admin-key (never sent; it seals what only the broker may read, see
            `bulkhead secret --help`) and brokerd/master/current, the key of all secrets:
            keep a copy of that one in a safe place.

            A job that runs when the daemons stop goes on in its container; the next
            `bulkhead up` on the same state directory takes it over. Cancel it first if it
            should end.

            EXAMPLES
              bulkhead up
              bulkhead up --state ./state --listen 127.0.0.1:7700
              bulkhead up --max-idle-runners 4 --idle bulkhead/debian=1 --cooldown 10m
            """)

    @Option(
        help: ArgumentHelp(
            "Where the database, logs, secrets and keys are kept; as root /var/lib/bulkhead.", valueName: "dir"))
    var state: String?

    @Option(help: ArgumentHelp("Address of the HTTP API: a literal IP address and a port.", valueName: "addr"))
    var listen = "127.0.0.1:7700"

    @Option(
        help: ArgumentHelp(
            "The container engine's Unix socket; BULKHEAD_ENGINE and DOCKER_HOST set it too.", valueName: "path"))
    var engine: String?

    @Option(help: "Most runners at the same time; the default is the number of CPUs.")
    var maxRunners: Int?

    @OptionGroup var pools: PoolOptions

    @Option(help: ArgumentHelp("Runtime of the engine for all jobs; the default is the engine's.", valueName: "name"))
    var runtime: String?

    @Option(help: ArgumentHelp("Runtime of the engine for untrusted jobs, such as runsc.", valueName: "name"))
    var runtimeUntrusted: String?

    @Option(
        help: ArgumentHelp(
            "Group that root in containers has on this machine, by its number: for runsc, which mounts as that root.",
            valueName: "gid"))
    var grantsGroup: UInt32?

    @OptionGroup var forges: ForgeOptions

    @Flag(help: "Accept an engine without user namespaces: root in a container is then root on this machine.")
    var allowNoUserns = false

    @Flag(
        help: ArgumentHelp(
            "Let jobs ask for the profile `build`: a writable root and the capabilities that apt-get needs.",
            discussion: "Untrusted ones, too. What such a job writes there is bounded by the engine's disk alone."))
    var allowBuildProfile = false

    /// Runs on the main thread, before there is another one: each thread that does not block a signal would take it.
    func run() throws {
        try reporting {
            if let maxRunners, !(1...128).contains(maxRunners) {
                throw CommandFailure("--max-runners: \(maxRunners) is not between 1 and 128", exit: .usage)
            }
            let wishes = Preparation.Wishes(
                state: state ?? StateDirectory.standard, listen: listen, engine: engine,
                maxRunners: maxRunners ?? ProcessInfo.processInfo.activeProcessorCount,
                pools: try pools.settings(),
                allowNoUserNamespaces: allowNoUserns, allowBuildProfile: allowBuildProfile, runtime: runtime,
                runtimeUntrusted: runtimeUntrusted, forges: try forges.settings(),
                grantsGroup: grantsGroup)
            try Supervisor(Preparation(wishes)).run()
        }
    }
}
