// Jobs and shapes for tests.

import Wire

enum Samples {
    static let token = "let-me-in"
    /// SHA-256 of the token.
    static let tokenDigest = "a3ee786b5707c27d42570785081ec17f5c7db9262a01366af362a1aa61a420b9"
    static let megabyte: UInt64 = 1 << 20

    static func shape(_ image: String = "busybox") -> RunnerShape {
        RunnerShape(
            image: image, platform: .linuxAmd64, profile: .strict,
            resources: Resources(
                cpuMillis: 1000, memoryBytes: 64 * megabyte, pids: 64, diskBytes: 32 * megabyte))
    }

    static func spec(_ name: String = "hello", image: String = "busybox", timeout: UInt32 = 60) -> JobSpec {
        JobSpec(
            name: name, shape: shape(image), timeoutSeconds: timeout, env: [Variable(name: "GREETING", value: "hi")],
            steps: [
                Step(name: "first", run: "echo one", timeoutSeconds: 0, continueOnError: false),
                Step(name: "second", run: "echo two", timeoutSeconds: 0, continueOnError: false),
            ])
    }

    static func result(_ state: JobState, reason: String = "") -> JobResult {
        JobResult(
            state: state, failedStep: state == .failed ? 1 : nil, exitCode: state == .succeeded ? 0 : 1, reason: reason)
    }

    static let source = Source(sha256: Bytes32(1, 2, 3, 4), size: 1024)
}
