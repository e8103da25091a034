// Why: what a job waits for, or how it ended, and what to do about it.

import ArgumentParser
import Foundation

struct Why: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show why a job waits or how it ended, and what to do about it.",
        discussion: """
            First the state; then what keeps the job, the first thing first, each with what
            you can do; then what has happened to it so far.

            EXAMPLES
              bulkhead why 17
              bulkhead why 17 --json
            """)

    @Argument(help: "The job's number.")
    var job: UInt64

    @OptionGroup var options: ClientOptions

    func run() async throws {
        try await runReporting(json: options.json) {
            let client = try options.client()
            let data = try await client.send(try client.request("GET", "/jobs/\(job)/why"))
            guard !options.json else { return options.printJSON(data) }
            let answer = try client.decoded(WhyAnswer.self, data)
            Terminal.print("job \(job)  \(Terminal.state(answer.state))")
            for line in answer.lines { Terminal.print(line) }
        }
    }
}

/// What `GET /jobs/:id/why` answers.
package struct WhyAnswer: Decodable {
    package struct Reason: Decodable {
        let kind: String
        let text: String
        let advice: String
        let since: String?
    }

    package struct Happening: Decodable {
        let at: String
        let text: String
    }

    let state: String
    let whys: [Reason]
    let history: [Happening]

    /// What a person reads, below the state.
    package var lines: [String] {
        var lines: [String] = []
        for why in whys {
            lines.append(
                "  " + Terminal.printable(why.text)
                    + (why.since.map { "  (\(why.kind == "ended" ? "at" : "since") \($0))" } ?? ""))
            if !why.advice.isEmpty { lines.append("    -> " + Terminal.printable(why.advice)) }
        }
        if !history.isEmpty { lines.append("history") }
        return lines + history.map { "  \($0.at)  \(Terminal.printable($0.text))" }
    }
}
