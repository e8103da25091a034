// Jobs for tests.

import Wire

extension Step {
    init(
        _ name: String, _ run: String, timeout: UInt32 = 0, continueOnError: Bool = false, untrusted: Bool = false,
        when: When = .onSuccess, secrets: [SecretUse] = []
    ) {
        self.init(
            name: name, run: run, timeoutSeconds: timeout, continueOnError: continueOnError, untrusted: untrusted,
            when: when, secrets: secrets)
    }
}

extension ArtifactRule {
    init(_ paths: [String], exclude: [String] = [], when: When = .onSuccess) {
        self.init(paths: paths, exclude: exclude, when: when)
    }
}

extension SecretUse {
    init(_ name: String, _ form: SecretForm, _ variable: String) {
        self.init(name: name, form: form, variable: variable)
    }
}

extension JobSpec {
    /// A job with 64 MiB of memory.
    static func of(
        _ steps: [Step], timeout: UInt32 = 0, silence: UInt32 = 0, env: [Variable] = [], profile: Profile = .strict,
        artifacts: [ArtifactRule] = []
    ) -> JobSpec {
        let resources = Resources(cpuMillis: 1000, memoryBytes: 64 << 20, pids: 64, diskBytes: 16 << 20)
        let shape = RunnerShape(
            image: "test", platform: .linuxAmd64, profile: profile, resources: resources,
            untrustedSteps: steps.contains(where: \.untrusted), gpus: nil)
        return JobSpec(
            name: "test", shape: shape, timeoutSeconds: timeout, silenceSeconds: silence, env: env, steps: steps,
            artifacts: artifacts)
    }
}

extension JobDefinition {
    static func of(_ spec: JobSpec, source: Source? = nil) -> JobDefinition {
        JobDefinition(project: "default", spec: spec, source: source, schedule: .usual)
    }
}

extension Attempt {
    static let test = Attempt(job: 7, attempt: 2, epoch: 1)
}
