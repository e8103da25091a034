// APIModels: the answers of the API as the commands read them. The API's own description is /openapi.json.

import Foundation
import JobModel

struct JobAnswer: Decodable {
    struct Step: Decodable {
        let name: String
        let outcome: String?
        let exitCode: Int?
        let durationMs: UInt64?
        let startedAt: String?
    }

    struct Schedule: Decodable {
        let group: String?
        let cancelInProgress: Bool
        let needs: [UInt64]
        let when: String
        let tags: [String]
        let retries: Int
        let queueTimeout: Int
    }

    struct Outcome: Decodable {
        let exitCode: Int
        let failedStep: Int?
        let reason: String
    }

    let id: UInt64
    let project: String?
    let trust: String?
    let name: String
    let image: String
    let state: String
    let reason: String
    let priority: Int?
    let createdAt: String
    let startedAt: String?
    let finishedAt: String?
    let schedule: Schedule?
    let attempts: Int?
    let steps: [Step]?
    let result: Outcome?

    var isFinished: Bool {
        ["SUCCEEDED", "FAILED", "CANCELLED", "TIMED_OUT", "LOST"].contains(state)
    }

    /// `step 2 'test'`; one that its author has not named is called `step 2` already.
    static func stepName(_ index: Int, _ name: String) -> String {
        let number = "step \(index + 1)"
        return name == number ? number : "\(number) '\(Terminal.printable(name))'"
    }

    /// nil: the one that a job has which says nothing of it.
    var unusualPriority: Int? { priority.flatMap { $0 == 50 ? nil : $0 } }

    /// When it runs, as far as that is not the usual.
    var scheduleLines: [String] {
        var lines = unusualPriority.map { ["priority  \($0)"] } ?? []
        if let schedule {
            if let group = schedule.group {
                let newest = schedule.cancelInProgress ? ", cancels what is in progress" : ""
                lines.append("group     \(Terminal.printable(group))\(newest)")
            }
            if !schedule.needs.isEmpty {
                let jobs = schedule.needs.map { String($0) }.joined(separator: ", ")
                lines.append("needs     \(jobs) (\(Terminal.printable(schedule.when)))")
            }
            if !schedule.tags.isEmpty {
                lines.append("tags      " + Terminal.printable(schedule.tags.joined(separator: ", ")))
            }
        }
        if let attempts, attempts > 1 {
            lines.append("attempts  \(attempts)" + (schedule.map { ", at most \($0.retries + 1)" } ?? ""))
        }
        return lines
    }

    /// The status that `submit --follow` ends with: the job's own, or what shells use for the other ends.
    var exitStatus: Int32 {
        switch state {
        case "SUCCEEDED": 0
        case "FAILED": result.map { (1...255).contains($0.exitCode) ? Int32($0.exitCode) : 1 } ?? 1
        case "TIMED_OUT": 124
        case "CANCELLED": 130
        default: 125
        }
    }
}

struct JobPage: Decodable {
    let jobs: [JobAnswer]
    let next: UInt64?
}

struct JobCreated: Decodable {
    let id: UInt64
    let created: Bool
}

struct RunnerAnswer: Decodable {
    let id: String
    let image: String
    let platform: String
    let profile: String
    let state: String
    let job: UInt64?
    let createdAt: String
    let reason: String
}

struct RunnerList: Decodable {
    let runners: [RunnerAnswer]
}

struct PoolList: Decodable {
    struct Pool: Decodable {
        let image: String
        let platform: String
        let profile: String
        let trust: String
        let resources: Resources
        let starting: Int
        let idle: Int
        let busy: Int
        let waiting: Int
        let trouble: String
    }

    struct Resources: Decodable {
        let cpus: Double
        let memory: Int64
        let gpus: Int

        /// `2 CPUs, 1GiB`
        var shown: String {
            let number = cpus == cpus.rounded() ? String(Int(cpus)) : String(cpus)
            let gpus = gpus == 0 ? "" : ", \(gpus) GPU\(gpus == 1 ? "" : "s")"
            return "\(number) CPU\(cpus == 1 ? "" : "s"), \(Quantity.show(bytes: memory))\(gpus)"
        }
    }

    let pools: [Pool]
}

struct StatusAnswer: Decodable {
    struct Health: Decodable {
        let name: String
        let connected: Bool
        let detail: String
    }

    let instance: String
    let queued: Int
    let blocked: Int
    let draining: Bool
    let running: Int
    let runners: Int
    let maxRunners: Int
    /// nil while it does not answer.
    let engine: String?
    let engineDetail: String?
    let daemons: [Health]
}

struct SecretPage: Decodable {
    struct Secret: Codable {
        let name: String
        let setAt: String
        let setBy: String
    }

    let secrets: [Secret]
    let more: Bool
}
