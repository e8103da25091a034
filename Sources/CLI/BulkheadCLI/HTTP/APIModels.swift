// APIModels: the answers of the API as the commands read them. The API's own description is /openapi.json.

import Foundation

struct JobAnswer: Decodable {
    struct Step: Decodable {
        let name: String
        let outcome: String?
        let exitCode: Int?
        let durationMs: UInt64?
        let startedAt: String?
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
    let createdAt: String
    let startedAt: String?
    let finishedAt: String?
    let steps: [Step]?
    let result: Outcome?

    var isFinished: Bool {
        ["SUCCEEDED", "FAILED", "CANCELLED", "TIMED_OUT", "LOST"].contains(state)
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

struct StatusAnswer: Decodable {
    struct Health: Decodable {
        let name: String
        let connected: Bool
        let detail: String
    }

    let instance: String
    let queued: Int
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
