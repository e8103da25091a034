// GitLabJob: a job as GitLab gave it to us, in our words and within our bounds. What is secret in it is a SecretText
// and stands apart: it goes to brokerd, and never into a definition.

package import Exchange
package import ForgeModel

/// By what a job is spoken of at GitLab.
package struct JobHandle: Equatable, Sendable {
    package let id: UInt64
    package let token: SecretText
    /// The failure reasons that this GitLab knows; nil where it does not say.
    package let reasons: [String]?

    package init(id: UInt64, token: SecretText, reasons: [String]?) {
        self.id = id
        self.token = token
        self.reasons = reasons
    }
}

package struct GitLabJob: Equatable, Sendable {
    package struct Variable: Equatable, Sendable {
        package let name: String
        package let value: String
    }

    /// Of a variable that may not be read by everybody who may read a definition.
    package struct SecretVariable: Equatable, Sendable {
        package let name: String
        package let value: SecretText
        /// The variable holds the path of a file with the value in it.
        package let isFile: Bool
        /// It may not be read in the log.
        package let isMasked: Bool
    }

    package struct Step: Equatable, Sendable {
        package enum When: String, Sendable {
            case onSuccess = "on_success"
            case onFailure = "on_failure"
            case always
        }

        package let name: String
        /// For `sh -e`.
        package let script: String
        /// Seconds; 0: the job's own.
        package let timeout: UInt32
        package let when: When
        package let allowFailure: Bool
    }

    /// The commit, and where it is found. No URL: that has a token in it, and says where a clone would go.
    package struct Source: Equatable, Sendable {
        package let project: UInt64
        package let commit: Commit
        /// `main`, `v1`, or `refs/merge-requests/5/head`.
        package let reference: String
        package let isTag: Bool
        package let refspecs: [String]
    }

    package let handle: JobHandle
    package let name: String
    package let stage: String
    package let pipeline: UInt64
    package let project: UInt64
    package let projectPath: String
    /// Whose it is, by GitLab's own word and not by a variable's; 0: nobody's.
    package let user: UInt64
    /// Of a branch or tag that is protected, whether it wants its source or not.
    package let isProtected: Bool
    /// Nil: the job wants no source.
    package let source: Source?
    /// Seconds.
    package let timeout: UInt32
    /// Nil: the job names none, and gets the pool's.
    package let image: String?
    package let variables: [Variable]
    package let secrets: [SecretVariable]
    package let steps: [Step]
    package let artifacts: [ArtifactRule]
    package let dependencies: [Dependency]
    /// Words of the log that begin so are tokens, and may not be read in it.
    package let maskPrefixes: [String]
}

/// What a job leaves behind, and what becomes of it.
package struct ArtifactRule: Equatable, Sendable {
    package enum Format: String, Sendable {
        case zip
        case gzip
        case raw
    }

    /// Without the ending of its format.
    package let name: String
    package let paths: [String]
    package let exclude: [String]
    package let when: GitLabJob.Step.When
    /// `archive`, or the kind of a report.
    package let type: String
    package let format: Format
    /// In GitLab's words: `30 days`.
    package let expireIn: String?

    package init(
        name: String, paths: [String], exclude: [String] = [], when: GitLabJob.Step.When = .onSuccess,
        type: String = "archive", format: Format = .zip, expireIn: String? = nil
    ) {
        self.name = name
        self.paths = paths
        self.exclude = exclude
        self.when = when
        self.type = type
        self.format = format
        self.expireIn = expireIn
    }

    /// As which it goes up.
    package var fileName: String {
        switch format {
        case .zip: name + ".zip"
        case .gzip: name + ".gz"
        case .raw: name
        }
    }
}

/// A job before this one, whose archive is unpacked into the source.
package struct Dependency: Equatable, Sendable {
    package let id: UInt64
    package let name: String
    package let token: SecretText
    package let fileName: String
    /// Bytes, as GitLab says.
    package let size: UInt64

    package init(id: UInt64, name: String, token: SecretText, fileName: String, size: UInt64) {
        self.id = id
        self.name = name
        self.token = token
        self.fileName = fileName
        self.size = size
    }
}

/// A job that was given to us and cannot be run here. It fails at once, with the sentence for its log.
package struct RefusedJob: Equatable, Sendable {
    package let handle: JobHandle
    package let end: JobEnd
    package let sentence: String
}

package enum GivenJob: Equatable, Sendable {
    case job(GitLabJob)
    case refused(RefusedJob)

    package var handle: JobHandle {
        switch self {
        case .job(let job): job.handle
        case .refused(let job): job.handle
        }
    }
}

/// What a job may cost, and where it will be. The defaults are the bounds of the wire.
package struct PayloadLimits: Sendable {
    package var variables = 256
    package var nameBytes = 128
    package var valueBytes = 8192
    package var secrets = 32
    /// A secret is named as its variable.
    package var secretNameBytes = 64
    package var steps = 32
    package var scriptBytes = 16_384
    package var timeout: UInt64 = 604_800
    package var imageBytes = 255
    package var rules = 32
    package var pathsOfRule = 256
    package var dependencies = 64
    /// Bytes of an archive before this job.
    package var archiveBytes: UInt64 = 1 << 30
    package var projectDirectory = "/job/src"

    package init() {}
}
