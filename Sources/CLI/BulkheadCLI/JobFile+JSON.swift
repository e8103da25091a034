// JobFile+JSON: a checked job file as the body of POST /jobs.

import Foundation
package import JobModel

/// What `POST /jobs` takes. Every default is written out, or left out where it is the absence of something: what was
/// checked, and sealed, is what is sent.
package struct JobRequest: Encodable {
    struct Resources: Encodable {
        let cpus: Double
        let memory: UInt64
        let pids: UInt32
        let disk: UInt64
        let gpus: UInt8?
        let gpu_vendor: String?
    }

    struct SecretUse: Encodable {
        let secret: String
        let `as`: String
    }

    struct Step: Encodable {
        let name: String
        let run: String
        let timeout: UInt32?
        let continue_on_error: Bool
        let untrusted: Bool
        /// By the variable; nil rather than empty.
        let secrets: [String: SecretUse]?
    }

    let project: String
    let name: String
    let image: String
    let platform: String
    let profile: String
    let resources: Resources
    let timeout: UInt32
    let silence_timeout: UInt32?
    let priority: UInt8
    let group: String?
    let cancel_in_progress: Bool?
    let needs: [UInt64]?
    let when: String?
    let queue_timeout: UInt32?
    let retries: UInt8
    let tags: [String]?
    let env: [String: String]
    let steps: [Step]
    let source: UploadedSource?

    package init(_ file: JobFile, source: UploadedSource?) {
        project = file.project
        name = file.name
        image = file.image
        platform = file.platform.rawValue
        profile = file.profile.rawValue
        resources = Resources(
            cpus: Double(file.resources.cpuMillis) / 1000, memory: file.resources.memory,
            pids: file.resources.pids, disk: file.resources.disk,
            gpus: file.resources.gpus == 0 ? nil : file.resources.gpus,
            gpu_vendor: file.resources.gpuVendor?.rawValue)
        timeout = file.timeout
        silence_timeout = file.silenceTimeout == 0 ? nil : file.silenceTimeout
        let schedule = file.schedule
        priority = schedule.priority
        group = schedule.group
        cancel_in_progress = schedule.group == nil ? nil : schedule.cancelInProgress
        needs = schedule.needs.isEmpty ? nil : schedule.needs
        when = schedule.needs.isEmpty ? nil : schedule.when.rawValue
        queue_timeout = schedule.queueTimeout == 0 ? nil : schedule.queueTimeout
        retries = file.retries
        tags = schedule.tags.isEmpty ? nil : schedule.tags
        env = Dictionary(file.env.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
        steps = file.steps.map { step in
            let uses = step.secrets.map { ($0.variable, SecretUse(secret: $0.name, as: $0.form.rawValue)) }
            return Step(
                name: step.name, run: step.run, timeout: step.timeout == 0 ? nil : step.timeout,
                continue_on_error: step.continueOnError, untrusted: step.untrusted,
                secrets: uses.isEmpty ? nil : Dictionary(uses, uniquingKeysWith: { first, _ in first }))
        }
        self.source = source
    }
}

/// A source archive in the store, as `POST /sources` answers.
package struct UploadedSource: Codable, Equatable, Sendable {
    package let sha256: String
    /// Bytes.
    package let size: UInt64

    package init(sha256: String, size: UInt64) {
        self.sha256 = sha256
        self.size = size
    }
}
