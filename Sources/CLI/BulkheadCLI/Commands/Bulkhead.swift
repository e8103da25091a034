// Bulkhead: the command and its subcommands, one file each.

package import ArgumentParser
import JobModel

package struct Bulkhead: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "bulkhead",
        abstract: "Run CI jobs whose authors you do not trust.",
        discussion: """
            EXAMPLES
              bulkhead up                                    start the daemons
              bulkhead submit job.yaml --source . --follow   run a job on your code
              bulkhead submit --image bulkhead/busybox -- echo hello
              bulkhead log 17 -f                             follow a log
              bulkhead why 18                                what it waits for, and what to do
              bulkhead secret set web token < token          keep a secret for a project
              bulkhead project apply projects.yaml           say what runs for whose events
              bulkhead approve 19                            let the change of a held job run
              bulkhead doctor                                name what is missing until that works
              bulkhead user role alice shop write            say who may do what

            EXIT STATUS
              0 done; 1 failed; 64 wrong command line or job file; 69 the daemons cannot be reached;
              77 wrong token, or not allowed. `submit --follow` ends with the job's own status: 124 timed out,
              130 cancelled, 125 lost.

            ENVIRONMENT
              BULKHEAD_URL    address of the API (default http://127.0.0.1:7700)
              BULKHEAD_TOKEN  the token; without it the one in the state directory is used
              MAX_IDLE_RUNNERS, RUNNER_COOLDOWN_MINUTES  see `bulkhead up --help`
              BULKHEAD_KEY    path of your key file, which seals orders to the broker
            """,
        version: Release.version,
        subcommands: [
            Up.self, Init.self, Submit.self, Jobs.self, JobCommand.self, LogCommand.self, Why.self, Cancel.self,
            Runners.self, Pools.self, Drain.self, Secret.self, ProjectCommand.self, Deliveries.self, Approve.self,
            UserCommand.self, TokenCommand.self, KeyCommand.self, WhoAmI.self, Status.self, Doctor.self, Audit.self,
        ])

    package init() {}

    /// Runs `bulkhead up` if the command line says so. It has its own poll loop and wants the main thread.
    package static func superviseIfAsked() -> Bool {
        guard CommandLine.arguments.dropFirst().first == "up" else { return false }
        Self.main(nil)
        return true
    }

    /// Runs every other command; those wait for HTTP.
    package static func start() async {
        do {
            var command = try parseAsRoot()
            if var waiting = command as? any AsyncParsableCommand {
                try await waiting.run()
            } else {
                try command.run()
            }
        } catch {
            let status = exitCode(for: error)
            // A command has said its own already.
            if status.isSuccess || error is ExitCode { exit(withError: error) }
            let hint = hint(Array(CommandLine.arguments.dropFirst()))
            let told = hint.map { ValidationError($0) as any Error } ?? error
            guard wantsJSON else { exit(withError: told) }
            Terminal.note(CommandFailure(message(for: told), exit: .usage).json)
            exit(withError: status)
        }
    }

    /// `--json` is there, even if the rest makes no sense; behind `--` it belongs to somebody else.
    private static var wantsJSON: Bool {
        CommandLine.arguments.prefix { $0 != "--" }.contains("--json")
    }
}
