// WaitingTeller: why a job that is watched has not begun, on standard error: a person must not wonder.

import Foundation

struct WaitingTeller: Sendable {
    let client: APIClient
    let job: UInt64

    /// After a second of silence, and whenever the reason is another one; returns when the job has begun or is over.
    func run() async throws {
        var told = ""
        while !Task.isCancelled {
            try await Task.sleep(for: .seconds(1))
            let data = try await client.send(try client.request("GET", "/jobs/\(job)/why"))
            let answer = try client.decoded(WhyAnswer.self, data)
            guard answer.isWaiting else { return }
            // The words may count seconds or jobs, and are no news then.
            if answer.subject != told { Terminal.note("job \(job) \(answer.headline)") }
            told = answer.subject
        }
    }
}

extension WhyAnswer {
    /// It has not begun.
    package var isWaiting: Bool { ["BLOCKED", "HELD", "QUEUED", "ASSIGNED"].contains(state) }

    /// The state, and what has to change first; the same as long as that is the same thing.
    package var subject: String { "\(state) \(whys.first?.kind ?? "")" }

    package var headline: String {
        "\(state)" + (whys.first.map { ": \(Terminal.printable($0.text))" } ?? "")
    }
}
