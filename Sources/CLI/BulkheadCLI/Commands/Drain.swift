// Drain: the house begins nothing new, so that it can be stopped without harm.

import ArgumentParser
import Foundation

struct Drain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Begin no new jobs; those that run go on to their end.",
        discussion: """
            Jobs can still be submitted, and wait. Runners that wait for jobs are removed.
            It stays so over restarts, until --off.

            EXAMPLES
              bulkhead drain
              bulkhead drain --wait     return when no runner is left
              bulkhead drain --off      begin jobs again
            """)

    @Flag(help: "Begin jobs again.")
    var off = false

    @Flag(help: "Show what still runs, and return when no runner is left.")
    var wait = false

    @OptionGroup var options: ClientOptions

    func validate() throws {
        if off && wait { throw ValidationError("--off and --wait do not go together: give one") }
    }

    func run() async throws {
        try await runReporting(json: options.json) {
            let client = try options.client()
            let request = try client.request("POST", "/drain")
            var data = try await client.send(request, json: try JSONEncoder().encode(["drain": !off]))
            var answer = try client.decoded(DrainAnswer.self, data)
            var told = ""
            while wait && answer.runners > 0 {
                if answer.progress != told { Terminal.note(answer.progress) }
                told = answer.progress
                try await Task.sleep(for: .milliseconds(250))
                data = try await client.send(try client.request("GET", "/status"))
                answer = try client.decoded(DrainAnswer.self, data)
                guard answer.draining else {
                    throw CommandFailure("somebody ended the draining: jobs begin again", exit: .failure)
                }
            }
            if options.json { return options.printJSON(data) }
            Terminal.print(
                off ? "jobs begin again" : wait ? "drained: no runner is left" : "draining: \(answer.progress)")
        }
    }
}

/// What `POST /drain` answers; `GET /status` has the same fields.
struct DrainAnswer: Decodable {
    let draining: Bool
    let running: Int
    let runners: Int

    var progress: String {
        "\(running) \(running == 1 ? "job runs" : "jobs run"), \(runners) \(runners == 1 ? "runner" : "runners") left"
    }
}
