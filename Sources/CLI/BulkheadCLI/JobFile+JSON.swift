// JobFile+JSON: a checked job file as the body of POST /jobs.

import Foundation
import JobModel

/// What `POST /jobs` takes. Every default is written out: what was checked is what is sent.
struct JobRequest: Encodable {
    struct Resources: Encodable {
        let cpus: Double
        let memory: UInt64
        let pids: UInt32
        let disk: UInt64
    }

    struct Step: Encodable {
        let name: String
        let run: String
        let timeout: UInt32?
        let continue_on_error: Bool
    }

    let name: String
    let image: String
    let platform: String
    let profile: String
    let resources: Resources
    let timeout: UInt32
    let env: [String: String]
    let steps: [Step]
    let source: UploadedSource?

    init(_ file: JobFile, source: UploadedSource?) {
        name = file.name
        image = file.image
        platform = file.platform.rawValue
        profile = file.profile.rawValue
        resources = Resources(
            cpus: Double(file.resources.cpuMillis) / 1000, memory: file.resources.memory,
            pids: file.resources.pids, disk: file.resources.disk)
        timeout = file.timeout
        env = Dictionary(file.env.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
        steps = file.steps.map {
            Step(
                name: $0.name, run: $0.run, timeout: $0.timeout == 0 ? nil : $0.timeout,
                continue_on_error: $0.continueOnError)
        }
        self.source = source
    }
}

/// A source archive in the store, as `POST /sources` answers.
struct UploadedSource: Codable {
    let sha256: String
    let size: UInt64
}
