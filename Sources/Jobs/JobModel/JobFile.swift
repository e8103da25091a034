// JobFile: what a person asks for, checked. Both the CLI and apid read it with the same code (JobFile+Parse.swift).

package import Documents

/// A job as its author describes it. Defaults are filled in; every value is within the bounds of the wire types.
package struct JobFile: Equatable, Sendable {
    /// CPU architecture of the container, as `linux/amd64` in the file.
    package enum Platform: String, CaseIterable, Sendable {
        case linuxAMD64 = "linux/amd64"
        case linuxARM64 = "linux/arm64"
        case linuxRISCV64 = "linux/riscv64"
    }

    /// How much the container may do: see `docs/trust.md`.
    package enum Profile: String, CaseIterable, Sendable {
        case strict
        case build
    }

    /// Limits of the container. `disk` is the sum of its writable tmpfs mounts, which count towards `memory`.
    package struct Resources: Equatable, Sendable {
        /// Thousandths of a CPU.
        package var cpuMillis: UInt32 = 1000
        /// Bytes.
        package var memory: UInt64 = 1 << 30
        package var pids: UInt32 = 256
        /// Bytes.
        package var disk: UInt64 = 512 << 20
        /// Whole ones, for this job alone.
        package var gpus: UInt8 = 0
        /// nil: of any vendor.
        package var gpuVendor: GPUVendor?

        package init() {}
    }

    package enum GPUVendor: String, CaseIterable, Sendable {
        case nvidia
        case amd
        case intel
    }

    /// One secret of the project, and the variable in which a step finds it.
    package struct SecretUse: Equatable, Sendable {
        /// `variable`: the value itself. `file`: the path of a file that only this step can read.
        package enum Form: String, CaseIterable, Sendable {
            case variable
            case file
        }

        package var name: String
        package var form: Form
        package var variable: String

        package init(name: String, form: Form = .variable, variable: String) {
            self.name = name
            self.form = form
            self.variable = variable
        }
    }

    /// One command line script. A `timeout` of 0 means that only the job's timeout holds.
    package struct Step: Equatable, Sendable {
        package var name: String
        package var run: String
        /// Seconds.
        package var timeout: UInt32 = 0
        package var continueOnError = false
        /// Runs as another user, who sees nothing of the others; it has no secrets.
        package var untrusted = false
        package var secrets: [SecretUse] = []

        package init(name: String, run: String) {
            self.name = name
            self.run = run
        }
    }

    /// One variable of the steps' environment.
    package struct Variable: Equatable, Sendable {
        package var name: String
        package var value: String

        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// Whose secrets it can name.
    package var project = JobFile.defaultProject
    package var name: String
    package var image: String
    package var platform: Platform
    package var profile = Profile.strict
    package var resources = Resources()
    /// Seconds.
    package var timeout: UInt32 = 3600
    /// Seconds; 0: a step may be silent.
    package var silenceTimeout: UInt32 = 0
    package var schedule = Schedule()
    package var env: [Variable] = []
    package var steps: [Step]

    package init(name: String, image: String, platform: Platform = .host, steps: [Step]) {
        self.name = name
        self.image = image
        self.platform = platform
        self.steps = steps
    }
}

extension JobFile {
    /// The project of a job that names none.
    package static let defaultProject = "default"

    /// Not a secret of a project: the token with which the job speaks for itself, made anew for each attempt.
    package static let jobTokenSecret = "bulkhead-job-token"

    /// `[a-z0-9][a-z0-9._-]{0,63}`
    package static func isProjectName(_ name: String) -> Bool {
        isName(name) { ("a"..."z").contains($0) || ("0"..."9").contains($0) }
    }

    /// `[A-Za-z0-9_][A-Za-z0-9._-]{0,63}`
    package static func isSecretName(_ name: String) -> Bool {
        isName(name) {
            ("a"..."z").contains($0) || ("A"..."Z").contains($0) || ("0"..."9").contains($0) || $0 == "_"
        }
    }

    /// The characters of `registry:port/name:tag@sha256:digest`.
    package static func isImageName(_ name: String) -> Bool {
        let isPlain = { (byte: UInt8) -> Bool in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: false
            }
        }
        guard let first = name.utf8.first, isPlain(first) else { return false }
        return name.utf8.allSatisfy { isPlain($0) || "._-/:@".utf8.contains($0) }
    }

    /// Short, and safe in a path, a log line and a URL.
    private static func isName(_ name: String, first isPlain: (Unicode.Scalar) -> Bool) -> Bool {
        guard name.utf8.count <= Bounds.secretNameBytes, let first = name.unicodeScalars.first, isPlain(first) else {
            return false
        }
        return name.unicodeScalars.allSatisfy { isPlain($0) || $0 == "." || $0 == "_" || $0 == "-" }
    }
}

extension JobFile.Platform {
    /// The platform this program was built for: the default of a job.
    package static var host: JobFile.Platform {
        #if arch(arm64)
            .linuxARM64
        #elseif arch(riscv64)
            .linuxRISCV64
        #else
            .linuxAMD64
        #endif
    }
}

extension JobFile {
    /// The bounds of a job file: those of `proto-spec/types.wire`, and what no honest job needs more of.
    package enum Bounds {
        /// Of the text.
        package static let bytes = 1 << 20
        /// Maps and lists within each other; six are needed.
        package static let depth = 16
        /// All values of the document. A job file with as much of everything as it may have comes close.
        package static let values = 2_000
        /// Mistakes that are told; nobody reads more.
        package static let problems = 100
        package static let nameBytes = 128
        package static let imageBytes = 255
        package static let steps = 32
        package static let runBytes = 16384
        package static let variables = 64
        package static let variableNameBytes = 128
        package static let variableValueBytes = 8192
        /// Of a secret and of a project.
        package static let secretNameBytes = 64
        package static let secretsOfStep = 16
        /// Different ones; a ticket has no room for more.
        package static let secretsOfJob = 32
        /// Seconds; a week.
        package static let timeout: ClosedRange<Int64> = 1...604_800
        /// Thousandths of a CPU.
        package static let cpuMillis: ClosedRange<Int64> = 10...1_024_000
        package static let memory: ClosedRange<Int64> = (16 << 20)...(4 << 40)
        package static let pids: ClosedRange<Int64> = 8...32768
        package static let disk: ClosedRange<Int64> = (1 << 20)...(4 << 40)
        package static let gpus: ClosedRange<Int64> = 0...16
        package static let priority: ClosedRange<Int64> = 0...100
        package static let retries: ClosedRange<Int64> = 0...5
        /// Jobs that one waits for.
        package static let needs = 32
        package static let tags = 16
        /// Of a tag and of a group.
        package static let tagBytes = 64
    }
}

/// One mistake in a job file: where, what, and the mend.
package struct JobFileProblem: Error, Equatable, Sendable {
    /// Key path such as `steps[1].timeout`; empty for the document itself.
    package let path: String
    package let place: Place?
    package let message: String

    package init(path: String, place: Place?, message: String) {
        self.path = path
        self.place = place
        self.message = message
    }

    /// `4:9: steps[1].timeout: ...`, without the line where there is none.
    package var description: String {
        let position = place.map { "\($0.line):\($0.column): " } ?? ""
        return position + (path.isEmpty ? message : "\(path): \(message)")
    }
}

/// The mistakes of a job file, in the order of the document: the first hundred that were found, and how many more.
package struct JobFileProblems: Error, Equatable, Sendable {
    package let problems: [JobFileProblem]
    package let more: Int

    package init(problems: [JobFileProblem], more: Int = 0) {
        self.problems = problems
        self.more = more
    }
}
