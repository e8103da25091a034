// Requests and records that the tests use.

import Wire

enum Sample {
    static let runner = Bytes16(high: 0xAA, low: 0xBB)

    static func attempt(_ job: UInt64 = 7, _ attempt: UInt32 = 1) -> Attempt {
        Attempt(job: job, attempt: attempt, epoch: 3)
    }

    static func job(
        _ job: UInt64 = 7, attempt: UInt32 = 1, runner: Bytes16 = Sample.runner, steps: Int = 2, source: Source? = nil,
        secrets: Bool = false, artifacts: Int = 0
    ) -> RelayEdge.RunJob {
        let resources = Resources(cpuMillis: 1000, memoryBytes: 1 << 30, pids: 64, diskBytes: 1 << 20)
        let shape = RunnerShape(
            image: "busybox", platform: .linuxAmd64, profile: .strict, resources: resources, untrustedSteps: false,
            gpus: nil)
        let uses = secrets ? [SecretUse(name: "token", form: .variable, variable: "TOKEN")] : []
        let steps = (0..<steps).map {
            Step(
                name: "step \($0)", run: "true", timeoutSeconds: 0, continueOnError: false, untrusted: false,
                when: .onSuccess, secrets: uses)
        }
        let rules = (0..<artifacts).map { ArtifactRule(paths: ["\($0)"], exclude: [], when: .onSuccess) }
        let spec = JobSpec(
            name: "test", shape: shape, timeoutSeconds: 60, silenceSeconds: 0, env: [], steps: steps, artifacts: rules)
        return RelayEdge.RunJob(
            runner: runner, attempt: Self.attempt(job, attempt),
            definition: JobDefinition(project: "default", spec: spec, source: source, schedule: .usual))
    }

    static func log(_ text: String, step: UInt16 = 0) -> RunnerEdge.Record {
        .log(.init(step: step, output: .stdout, bytes: Array(text.utf8)))
    }

    static func log(_ bytes: [UInt8], step: UInt16 = 0) -> RunnerEdge.Record {
        .log(.init(step: step, output: .stdout, bytes: bytes))
    }

    static func begun(_ index: UInt16) -> RunnerEdge.Record { .stepBegun(.init(index: index)) }

    static func ended(_ index: UInt16, _ outcome: StepOutcome = .succeeded) -> RunnerEdge.Record {
        .stepEnded(StepResult(index: index, outcome: outcome, exitCode: 0, durationMs: 5))
    }

    static func jobEnded(_ state: JobState = .succeeded, reason: String = "") -> RunnerEdge.Record {
        .jobEnded(JobResult(state: state, failedStep: nil, exitCode: 0, reason: reason))
    }

    static func piece(_ text: String, rule: UInt16 = 0) -> RunnerEdge.Record {
        .artifact(.init(rule: rule, bytes: Array(text.utf8)))
    }

    static func left(
        _ files: UInt32, rule: UInt16 = 0, problem: String = "", seal: Bytes32? = nil
    ) -> RunnerEdge.Record {
        .artifactEnded(.init(rule: rule, files: files, problem: problem, seal: seal))
    }

    /// A job of two steps with `lines` lines of output each.
    static func records(lines: Int) -> [RunnerEdge.Record] {
        var records: [RunnerEdge.Record] = []
        for step in UInt16(0)..<2 {
            records.append(begun(step))
            for line in 0..<lines { records.append(log("step \(step) says \(line)\n", step: step)) }
            records.append(ended(step))
        }
        return records + [jobEnded()]
    }

    /// What the log of these records is.
    static func output(_ records: [RunnerEdge.Record]) -> [UInt8] {
        records.flatMap { record -> [UInt8] in
            if case .log(let chunk) = record { chunk.bytes } else { [] }
        }
    }

    /// What they leave by one rule.
    static func archive(_ records: [RunnerEdge.Record], rule: UInt16) -> [UInt8] {
        records.flatMap { record -> [UInt8] in
            if case .artifact(let chunk) = record, chunk.rule == rule { chunk.bytes } else { [] }
        }
    }

    static func events(_ records: [RunnerEdge.Record]) -> [RunnerEdge.Record] {
        records.filter {
            switch $0 {
            case .log, .artifact: false
            default: true
            }
        }
    }
}
