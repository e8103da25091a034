// What surrounds one step: its user, its directory, its variables, and where it may write.

import Posix
import Processes
import Wire

/// A step of a job in this runner.
struct StepSurroundings {
    private let configuration: RunnerConfiguration
    private let directories: JobDirectories
    private let spec: JobSpec
    private let step: Step
    private let user: ChildUser?

    init(
        _ configuration: RunnerConfiguration, _ directories: JobDirectories, _ users: StepUsers, _ spec: JobSpec,
        _ step: Step
    ) {
        self.configuration = configuration
        self.directories = directories
        self.spec = spec
        self.step = step
        user = users.user(of: step, spec.shape.profile)
    }

    private var home: String { step.untrusted ? directories.untrustedHome : directories.home }

    private var temporary: String {
        guard spec.isSplit else { return configuration.temporaryDirectory }
        return step.untrusted ? directories.untrustedTemporary : directories.temporary
    }

    private var workingDirectory: String {
        spec.isSplit && !step.untrusted ? directories.ci : directories.source
    }

    /// The process to start. The values of secrets are not in it.
    func child(_ attempt: Attempt, secretFiles: [(variable: String, path: String)], _ uses: [SecretUse]) -> ChildSpec {
        var child = ChildSpec(
            executable: configuration.shell, arguments: ["sh", "-e", "-c", step.run],
            environment: environment(attempt, secretFiles, uses), workingDirectory: workingDirectory, user: user)
        child.noNewPrivileges = spec.shape.profile == .strict || step.untrusted
        child.noCapabilities = user != nil
        if step.untrusted {
            child.writableDirectories = [
                directories.source, home, temporary, configuration.temporaryDirectory, configuration.deviceDirectory,
            ]
        }
        return child
    }

    /// The defaults, which the job's variables may replace; those; the step's secrets, which replace both; and what
    /// Bulkhead says of itself, which nothing replaces: schedulerd refuses such a job, and here it is not believed
    /// either.
    private func environment(
        _ attempt: Attempt, _ secretFiles: [(variable: String, path: String)], _ uses: [SecretUse]
    ) -> [String] {
        let defaults = [
            Variable(name: "PATH", value: configuration.searchPath),
            Variable(name: "HOME", value: home),
            Variable(name: "TMPDIR", value: temporary),
            Variable(name: "CI", value: "true"),
        ]
        let fixed = [
            Variable(name: "BULKHEAD", value: "true"),
            Variable(name: "BULKHEAD_JOB_ID", value: String(attempt.job)),
            Variable(name: "BULKHEAD_ATTEMPT", value: String(attempt.attempt)),
        ]
        let secret = Set(uses.map(\.variable))
        let own = spec.env.filter {
            $0.name != "BULKHEAD" && !$0.name.hasPrefix("BULKHEAD_") && !secret.contains($0.name)
        }
        let replaced = Set(own.map(\.name)).union(secret)
        let files = secretFiles.map { Variable(name: $0.variable, value: $0.path) }
        let all = defaults.filter { !replaced.contains($0.name) } + own + files + fixed
        return all.map { "\($0.name)=\($0.value)" }
    }

    /// Why a step could not start, for a person.
    static func words(_ error: PosixError, _ configuration: RunnerConfiguration) -> String {
        switch error {
        case .spawn(.exec, _) where error.isMissing:
            return "the image has no \(configuration.shell), which runs the steps"
        case .spawn(.directory, _): return "its working directory below \(configuration.jobDirectory) is not there"
        case .spawn(.fork, let errno): return "no new process (\(PosixError.text(of: errno))); raise resources.pids"
        default: return error.description
        }
    }
}
