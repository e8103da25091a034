// A job of GitLab's as one of this house: a definition, which everybody in the house may read, what brokerd keeps of it
// under its word, and the values that only brokerd and the job's steps see.

import Crypto
import Exchange
import ForgeModel
import FoundationEssentials
package import GitLabRunner
import JobModel
package import Wire

/// A sentence for the log of a job that cannot run here.
package struct JobUnfit: Error {
    package let sentence: String
}

package struct TranslatedJob {
    package let definition: JobDefinition
    package let about: KeptJob
    /// A JobValues, encoded.
    let values: SecretText

    /// Bytes of what a word and a definition may have together: they travel in one frame.
    private static let frameBytes = 62 << 10
    private static let sealBytes = 32
    private static let definitionBytes = 48 << 10
    private static let valueBytes = 40 << 10
    private static let rulesAtMost = 8
    private static let pathsAtMost = 64
    private static let beforeAtMost = 16

    package init(_ job: GitLabJob, _ rule: RunnerRule, of project: String) throws(JobUnfit) {
        try Self.check(job, rule)
        let rules = try Self.rules(job)
        var shape = rule.shape
        if let image = job.image { shape.image = image }
        let spec = JobSpec(
            name: Self.cut(job.name, 128), shape: shape, timeoutSeconds: min(job.timeout, rule.timeoutSeconds),
            silenceSeconds: 0, env: job.variables.map { Wire.Variable(name: $0.name, value: $0.value) },
            steps: job.steps.map { Self.step($0, job) }, artifacts: rules.map(\.0))
        definition = JobDefinition(
            project: project, spec: spec, source: nil,
            schedule: Schedule(
                priority: rule.priority, group: nil, needs: [], condition: .allSuccess, queueTimeoutSeconds: 0,
                retries: 0, tags: []))
        guard job.dependencies.count <= Self.beforeAtMost else {
            throw JobUnfit(sentence: "it wants the files of \(job.dependencies.count) jobs; at most 16 fit")
        }
        let encoded = try Self.encoded(definition, "its definition")
        guard encoded.count <= Self.definitionBytes else {
            throw JobUnfit(
                sentence:
                    "its scripts and variables have \(encoded.count) bytes in all; at most \(Self.definitionBytes) "
                    + "fit: put what is long into files")
        }
        about = KeptJob(
            job: job.handle.id, commit: job.source?.commit.hex ?? "", protected: job.isProtected,
            subject: "gitlab:\(job.user)",
            uploads: rules.map(\.1),
            before: job.dependencies.map {
                GitLabDependency(job: $0.id, name: $0.name, file: $0.fileName, size: $0.size)
            },
            reasons: Array((job.handle.reasons ?? []).prefix(32)), secrets: job.secrets.map(\.name),
            definition: Bytes32(bytes: Array(SHA256.hash(data: encoded))) ?? Bytes32(0, 0, 0, 0))
        let all = [job.handle.token] + job.dependencies.map(\.token) + job.secrets.map(\.value)
        let values = try Self.encoded(JobValues(values: all.map { JobValue(value: $0.bytes) }), "its secrets")
        // As they travel: each value sealed, with what is said about them.
        let size =
            encoded.count + values.count + all.count * Self.sealBytes + (try Self.encoded(about, "its word")).count
        guard values.count <= Self.valueBytes, size <= Self.frameBytes else {
            throw JobUnfit(
                sentence: "its scripts, variables, secrets and dependencies have \(size) bytes in all, "
                    + "\(values.count) of them secret; at most \(Self.frameBytes) fit, and "
                    + "\(Self.valueBytes) of these secret")
        }
        self.values = SecretText(values)
    }

    /// What the project's rules say of whose jobs run here, and in which images.
    private static func check(_ job: GitLabJob, _ rule: RunnerRule) throws(JobUnfit) {
        if rule.registration.protectedOnly, !job.isProtected {
            throw JobUnfit(
                sentence: "its branch or tag is not protected, and this runner is for protected ones alone "
                    + "(`protected_only` of the project's `gitlab_runner`)")
        }
        if let image = job.image, !ImagePattern.admits(rule.images.map { ImagePattern($0) }, image) {
            throw JobUnfit(
                sentence: "its image '\(image)' is not one of those that the project's rules name "
                    + "(`images` of its `gitlab_runner`)")
        }
    }

    private static func encoded(_ message: some WireMessage, _ what: String) throws(JobUnfit) -> [UInt8] {
        do throws(WireError) { return try message.encoded() } catch {
            throw JobUnfit(sentence: "\(what) has something that is too long: \(error)")
        }
    }

    private static func step(_ step: GitLabJob.Step, _ job: GitLabJob) -> Wire.Step {
        Wire.Step(
            name: step.name, run: step.script, timeoutSeconds: step.timeout, continueOnError: step.allowFailure,
            untrusted: false, when: When(step.when),
            secrets: job.secrets.map {
                SecretUse(name: $0.name, form: $0.isFile ? .file : .variable, variable: $0.name)
            })
    }

    private static func rules(_ job: GitLabJob) throws(JobUnfit) -> [(Wire.ArtifactRule, GitLabUpload)] {
        let rules = job.artifacts.filter { !$0.paths.isEmpty }
        guard rules.count <= rulesAtMost,
            rules.allSatisfy({ $0.paths.count <= pathsAtMost && $0.exclude.count <= pathsAtMost })
        else {
            throw JobUnfit(
                sentence: "it leaves artifacts by more than \(rulesAtMost) rules, or by one with more than "
                    + "\(pathsAtMost) paths, which is all that fits")
        }
        return rules.map { rule in
            (
                Wire.ArtifactRule(paths: rule.paths, exclude: rule.exclude, when: When(rule.when)),
                GitLabUpload(
                    name: rule.name, kind: rule.type, format: Wire.ArtifactFormat(rule.format),
                    expireIn: rule.expireIn ?? "")
            )
        }
    }

    private static func cut(_ text: String, _ most: Int) -> String {
        var text = text
        while text.utf8.count > most { text.removeLast() }
        return text
    }
}

extension When {
    init(_ when: GitLabJob.Step.When) {
        self =
            switch when {
            case .onSuccess: .onSuccess
            case .onFailure: .onFailure
            case .always: .always
            }
    }
}

extension Wire.ArtifactFormat {
    init(_ format: GitLabRunner.ArtifactRule.Format) {
        self =
            switch format {
            case .zip: .zip
            case .gzip: .gzip
            case .raw: .raw
            }
    }

    var format: GitLabRunner.ArtifactRule.Format {
        switch self {
        case .zip: .zip
        case .gzip: .gzip
        case .raw: .raw
        }
    }
}

extension JobEnd {
    init(_ word: CourierEdge.JobEndWord, exitCode: UInt16) {
        self =
            switch word {
            case .succeeded: .succeeded
            case .failed: .failed(exitCode: exitCode)
            case .outOfMemory: .outOfMemory(exitCode: exitCode)
            case .stepTimedOut: .stepTimedOut
            case .timedOut: .timedOut
            case .cancelledThere: .cancelledThere
            case .cancelledHere: .cancelledHere
            case .lost: .lost
            case .imageMissing: .imageMissing
            case .unreachable: .unreachable
            case .refused: .refused
            }
    }
}
