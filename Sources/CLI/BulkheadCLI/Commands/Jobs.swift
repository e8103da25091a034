// Jobs, job, log and cancel: looking at jobs, and ending them.

import ArgumentParser
import Foundation

struct Jobs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List jobs, newest first.",
        discussion: """
            EXAMPLES
              bulkhead jobs
              bulkhead jobs --only failed --limit 5
              bulkhead jobs --only blocked
              bulkhead jobs --json
            """)

    @Option(
        help:
            """
            In this state only: blocked, held, queued, assigned, running, succeeded, failed, cancelled, timed_out, \
            lost.
            """
    )
    var only: String?

    @Option(help: "How many, 1 to 50.")
    var limit = 20

    @Option(help: ArgumentHelp("Only jobs older than this one.", valueName: "job"))
    var before: UInt64?

    @OptionGroup var options: ClientOptions

    func run() async throws {
        try await runReporting(json: options.json) {
            let client = try options.client()
            var query = ["limit": String(limit)]
            query["state"] = only
            query["before"] = before.map { String($0) }
            let data = try await client.send(try client.request("GET", "/jobs", query: query))
            guard !options.json else { return options.printJSON(data) }
            let page = try client.decoded(JobPage.self, data)
            // A column of nothing but the usual would only make lines longer.
            let showsPriority = page.jobs.contains { $0.unusualPriority != nil }
            let rows = page.jobs.map { job in
                [String(job.id), job.state] + (showsPriority ? [job.unusualPriority.map { String($0) } ?? ""] : [])
                    + [job.createdAt, job.name, job.image, job.reason]
            }
            let header =
                ["JOB", "STATE"] + (showsPriority ? ["PRIORITY"] : []) + ["CREATED", "NAME", "IMAGE", "REASON"]
            Terminal.table(header, rows, stateColumn: 1)
            if let next = page.next, next > 0 { Terminal.note("more: bulkhead jobs --before \(next)") }
        }
    }
}

struct JobCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "job", abstract: "Show one job and its steps.",
        discussion: """
            EXAMPLES
              bulkhead job 17
              bulkhead job 17 --json
            """)

    @Argument(help: "The job's number.")
    var job: UInt64

    @OptionGroup var options: ClientOptions

    func run() async throws {
        try await runReporting(json: options.json) {
            let client = try options.client()
            let data = try await client.send(try client.request("GET", "/jobs/\(job)"))
            guard !options.json else { return options.printJSON(data) }
            let answer = try client.decoded(JobAnswer.self, data)
            Terminal.print("job \(answer.id)  \(Terminal.printable(answer.name))  \(Terminal.state(answer.state))")
            if !answer.reason.isEmpty { Terminal.print("reason    \(Terminal.printable(answer.reason))") }
            if let project = answer.project {
                let trust = answer.trust.map { ", \(Terminal.printable($0))" } ?? ""
                Terminal.print("project   \(Terminal.printable(project))\(trust)")
            }
            Terminal.print("image     \(Terminal.printable(answer.image))")
            for line in answer.scheduleLines { Terminal.print(line) }
            Terminal.print("created   \(answer.createdAt)")
            if let started = answer.startedAt { Terminal.print("started   \(started)") }
            if let finished = answer.finishedAt { Terminal.print("finished  \(finished)") }
            let rows = (answer.steps ?? []).enumerated().map { index, step in
                [
                    String(index + 1), step.name, step.outcome ?? (step.startedAt == nil ? "waiting" : "running"),
                    step.exitCode.map { String($0) } ?? "", step.durationMs.map { "\($0) ms" } ?? "",
                ]
            }
            Terminal.table(["STEP", "NAME", "OUTCOME", "EXIT", "TIME"], rows)
        }
    }
}

struct LogCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log", abstract: "Print a job's log.",
        discussion: """
            EXAMPLES
              bulkhead log 17
              bulkhead log 17 -f      until the job is finished; Ctrl-C leaves it running;
                                      while it waits, standard error says why
              bulkhead log 17 --json  an object a line: {"job":17,"line":1,"text":"..."};
                                      "continued":true in parts of a line above 64 KiB
            """)

    @Argument(help: "The job's number.")
    var job: UInt64

    @Flag(name: .shortAndLong, help: "Go on until the job is finished.")
    var follow = false

    @OptionGroup var options: ClientOptions

    func run() async throws {
        try await runReporting(json: options.json) {
            let client = try options.client()
            let interruption = follow ? Interruption(job: job, json: options.json) : nil
            defer { withExtendedLifetime(interruption) {} }
            let waiting =
                follow && !options.json ? Task { try await WaitingTeller(client: client, job: job).run() } : nil
            defer { waiting?.cancel() }
            try await LogStream(client: client, job: job, json: options.json).copy(follow: follow)
        }
    }
}

struct Cancel: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Cancel a job.",
        discussion: """
            The steps get SIGTERM, and SIGKILL after the grace.

            EXAMPLES
              bulkhead cancel 17
              bulkhead cancel 17 --grace 30
            """)

    @Argument(help: "The job's number.")
    var job: UInt64

    @Option(help: "Seconds between SIGTERM and SIGKILL, 0 to 600.")
    var grace = 10

    @OptionGroup var options: ClientOptions

    func run() async throws {
        try await runReporting(json: options.json) {
            let client = try options.client()
            let request = try client.request("DELETE", "/jobs/\(job)", query: ["grace": String(grace)])
            let data = try await client.send(request)
            guard !options.json else { return options.printJSON(data) }
            struct Answer: Decodable { let state: String }
            let state = try client.decoded(Answer.self, data).state
            switch state {
            case "CANCELLED": Terminal.print("job \(job) is cancelled")
            case "SUCCEEDED", "FAILED", "TIMED_OUT", "LOST": Terminal.print("job \(job) had already ended: \(state)")
            default: Terminal.print("job \(job) is being cancelled (\(state))")
            }
        }
    }
}
