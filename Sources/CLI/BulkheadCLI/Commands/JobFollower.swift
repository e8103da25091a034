// JobFollower: what `submit --follow` shows: why the job waits, its log, how it ended.

import ArgumentParser
import Foundation

struct JobFollower: Sendable {
    let client: APIClient
    let job: UInt64
    let options: ClientOptions

    /// Ends with `ExitCode` of the job. As JSON: the lines of the log, then the job.
    func run() async throws {
        let interruption = Interruption(job: job, json: options.json)
        defer { withExtendedLifetime(interruption) {} }
        do {
            try await follow()
        } catch let failure as CommandFailure where failure.exit == .unavailable {
            throw CommandFailure(
                "\(failure.description). Job \(job) goes on without you: `bulkhead job \(job)` shows it, "
                    + "`bulkhead log \(job) -f` follows it again", exit: failure.exit, code: failure.code)
        }
    }

    private func follow() async throws {
        let waiting = Task { try await WaitingTeller(client: client, job: self.job).run() }
        try await LogStream(client: client, job: job, json: options.json).copy(follow: true)
        waiting.cancel()
        var answer = try await current()
        // The log may end a moment before the result is committed.
        while !answer.1.isFinished {
            try await Task.sleep(for: .milliseconds(100))
            answer = try await current()
        }
        let (data, job) = answer
        if options.json {
            options.printJSON(data)
        } else {
            for (index, step) in (job.steps ?? []).enumerated() where step.outcome != nil && step.outcome != "succeeded"
            {
                Terminal.note("\(JobAnswer.stepName(index, step.name)): \(step.outcome ?? "")")
            }
            let reason = job.reason.isEmpty ? "" : ": " + Terminal.printable(job.reason)
            Terminal.note("job \(job.id) \(job.state)\(reason)")
        }
        if job.exitStatus != 0 { throw ExitCode(job.exitStatus) }
    }

    private func current() async throws -> (Data, JobAnswer) {
        let data = try await client.send(try client.request("GET", "/jobs/\(job)"))
        return (data, try client.decoded(JobAnswer.self, data))
    }
}
