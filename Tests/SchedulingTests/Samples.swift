// Jobs and shapes for tests.

import Crypto
import Store
import Wire

enum Samples {
    static let token = "let-me-in"
    static let megabyte: UInt64 = 1 << 20

    static func shape(_ image: String = "busybox") -> RunnerShape {
        RunnerShape(
            image: image, platform: .linuxAmd64, profile: .strict,
            resources: Resources(
                cpuMillis: 1000, memoryBytes: 64 * megabyte, pids: 64, diskBytes: 32 * megabyte),
            untrustedSteps: false, gpus: nil)
    }

    static func spec(_ name: String = "hello", image: String = "busybox", timeout: UInt32 = 60) -> JobSpec {
        JobSpec(
            name: name, shape: shape(image), timeoutSeconds: timeout, silenceSeconds: 0,
            env: [Variable(name: "GREETING", value: "hi")],
            steps: [
                step("first", run: "echo one"), step("second", run: "echo two"),
            ], artifacts: [])
    }

    static func step(_ name: String, run: String, secrets: [SecretUse] = []) -> Step {
        Step(
            name: name, run: run, timeoutSeconds: 0, continueOnError: false, untrusted: false, when: .onSuccess,
            secrets: secrets)
    }

    static func definition(
        _ name: String = "hello", image: String = "busybox", timeout: UInt32 = 60, source: Source? = nil,
        secrets: [String] = [], project: String = "shop", schedule: Schedule = .usual
    ) -> JobDefinition {
        var spec = spec(name, image: image, timeout: timeout)
        spec.steps[1].secrets = secrets.map { SecretUse(name: $0, form: .variable, variable: "SECRET_\($0.count)") }
        return JobDefinition(project: project, spec: spec, source: source, schedule: schedule)
    }

    static func submission(
        _ request: String, _ definition: JobDefinition = definition(), order: SealedOrder? = nil
    ) -> SchedulerEdge.SubmitJob {
        SchedulerEdge.SubmitJob(token: token, requestId: request, definition: definition, order: order)
    }

    /// SHA-256 of the canonical bytes of the plain sample, worked out apart from this code.
    static let hash = "176c1f84a2f39c7712d3af69ca6b1f3de426762df7ea30c21f54335727cadf8a"

    /// Nobody here can open it.
    static let order = SealedOrder(
        key: Bytes32(1, 1, 1, 1), encapsulated: Bytes32(2, 2, 2, 2), order: [UInt8](repeating: 3, count: 40), value: [])

    static func ticket(_ definition: JobDefinition, trust: Trust = .untrusted) -> Ticket {
        Ticket(
            order: Bytes16(high: 1, low: 2), subject: "admin", project: definition.project, trust: trust, commit: "",
            definition: Bytes32(1, 2, 3, 4), secrets: [], ownValues: false, generation: 1, issuedMs: 1,
            mac: Bytes32(9, 9, 9, 9))
    }

    /// Of a job that came with its own values.
    static func ownTicket(_ word: GitLabJobWord, _ definition: JobDefinition, _ bytes: [UInt8]) -> Ticket {
        Ticket(
            order: Bytes16(high: 9, low: word.about.job), subject: word.about.subject, project: definition.project,
            trust: .trusted, commit: word.about.commit,
            definition: Bytes32(bytes: Array(SHA256.hash(data: bytes))) ?? .random(), secrets: [], ownValues: true,
            generation: 1, issuedMs: 1, mac: Bytes32(9, 9, 9, 9))
    }

    /// A row without a request, and without anybody's word on it.
    @discardableResult
    static func insert(
        _ rows: StoreTransaction, _ request: String, _ definition: JobDefinition? = nil, trust: Trust = .untrusted,
        at now: Int64 = 1
    ) throws -> UInt64 {
        let definition = definition ?? Samples.definition(request)
        return try rows.submit(
            requestID: request, definition: definition, ticket: ticket(definition, trust: trust), at: now
        ).job
    }

    static func result(_ state: JobState, reason: String = "") -> JobResult {
        JobResult(
            state: state, failedStep: state == .failed ? 1 : nil, exitCode: state == .succeeded ? 0 : 1, reason: reason)
    }

    static let source = Source(sha256: Bytes32(1, 2, 3, 4), size: 1024)
}
