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
                data = try await client.send(try client.request("GET", "/status"))
                answer = try client.decoded(DrainAnswer.self, data)
                guard answer.draining else {
                    throw CommandFailure("somebody ended the draining: jobs begin again", exit: .failure)
                }
                if answer.progress != told { Terminal.note(answer.progress(of: try await atWork(client))) }
                told = answer.progress
                try await Task.sleep(for: .milliseconds(250))
            }
            if options.json { return options.printJSON(data) }
            Terminal.print(
                off ? "jobs begin again" : wait ? "drained: no runner is left" : "draining: \(answer.progress)")
        }
    }
}

extension Drain {
    /// The jobs that have a runner, as far as a page goes.
    private func atWork(_ client: APIClient) async throws -> [UInt64] {
        var found: [UInt64] = []
        for state in ["running", "assigned"] {
            let request = try client.request("GET", "/jobs", query: ["state": state, "limit": "50"])
            found += try client.decoded(JobPage.self, try await client.send(request)).jobs.map(\.id)
        }
        return found.sorted()
    }
}

/// What `POST /drain` answers; `GET /status` has the same fields.
package struct DrainAnswer: Decodable {
    let draining: Bool
    let running: Int
    let runners: Int
    /// `GET /status` alone has these.
    let engine: String?
    let engineDetail: String?

    package var progress: String { progress(of: []) }

    /// What is waited for: these jobs, and an engine that has to remove containers.
    package func progress(of jobs: [UInt64]) -> String {
        let numbers = jobs.isEmpty ? "" : " (\(jobs.map { String($0) }.joined(separator: ", ")))"
        let isAway = engine == nil && engineDetail != nil && runners > 0
        return "\(running) \(running == 1 ? "job runs" : "jobs run")\(numbers), \(runners) "
            + "\(runners == 1 ? "runner" : "runners") left"
            + (isAway ? "; the container engine does not answer, and runners go when it is back" : "")
    }
}
