// Runners and status: what the house holds at the moment.

import ArgumentParser
import Foundation

struct Runners: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List runners; start and remove warm ones.",
        discussion: """
            EXAMPLES
              bulkhead runners
              bulkhead runners start --image bulkhead/busybox
              bulkhead runners remove 4f0c0d5e8a1b4c7d9e2f3a4b5c6d7e8f
            """,
        subcommands: [List.self, Start.self, Remove.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List runners.")
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await runReporting(json: options.json) {
                let client = try options.client()
                let data = try await client.send(try client.request("GET", "/runners"))
                guard !options.json else { return options.printJSON(data) }
                let runners = try client.decoded(RunnerList.self, data).runners
                let rows = runners.map {
                    [$0.id, $0.state, $0.job.map { String($0) } ?? "", $0.platform, $0.profile, $0.image, $0.reason]
                }
                Terminal.table(
                    ["RUNNER", "STATE", "JOB", "PLATFORM", "PROFILE", "IMAGE", "REASON"], rows, stateColumn: 1)
            }
        }
    }

    struct Start: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Start a warm runner: the next job of the same shape takes it and starts at once.")
        @Option(help: "The image.") var image: String
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await runReporting(json: options.json) {
                let client = try options.client()
                let body = try JSONEncoder().encode(["image": image])
                let data = try await client.send(try client.request("POST", "/runners"), json: body)
                guard !options.json else { return options.printJSON(data) }
                struct Answer: Decodable { let id: String }
                Terminal.print("runner \(try client.decoded(Answer.self, data).id)")
            }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Remove a runner; a busy one is refused.")
        @Argument(help: "The runner's id.") var runner: String
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await runReporting(json: options.json) {
                guard runner.count == 32, runner.allSatisfy(\.isHexDigit) else {
                    throw CommandFailure("'\(runner)' is not a runner's id; see `bulkhead runners`", exit: .usage)
                }
                let client = try options.client()
                let data = try await client.send(try client.request("DELETE", "/runners/\(runner)"))
                guard !options.json else { return options.printJSON(data) }
                Terminal.print("runner \(runner) is being removed")
            }
        }
    }
}

struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show the daemons, the engine and the queue.",
        discussion: """
            Ends with 0 as long as the API answers, whatever is shown; scripts look at
            "connected" and "engine" of --json.

            EXAMPLES
              bulkhead status
              bulkhead status --json
            """)

    @OptionGroup var options: ClientOptions

    func run() async throws {
        try await runReporting(json: options.json) {
            let client = try options.client()
            let data = try await client.send(try client.request("GET", "/status"))
            guard !options.json else { return options.printJSON(data) }
            let status = try client.decoded(StatusAnswer.self, data)
            Terminal.print("instance  \(status.instance)")
            let engine = status.engine ?? "DOES NOT ANSWER: \(status.engineDetail ?? "")"
            Terminal.print("engine    \(Terminal.printable(engine))")
            let blocked = status.blocked == 0 ? "" : ", \(status.blocked) blocked"
            Terminal.print("jobs      \(status.queued) queued\(blocked), \(status.running) running")
            if status.draining { Terminal.print("draining  no job begins; `bulkhead drain --off` ends that") }
            Terminal.print("runners   \(status.runners) of \(status.maxRunners)")
            let rows = status.daemons.map { [$0.name, $0.connected ? "up" : "DOWN", $0.detail] }
            Terminal.table(["DAEMON", "LINK", "DETAIL"], rows)
        }
    }
}
