// Jobs for tests.

import Wire

extension Step {
    init(_ name: String, _ run: String, timeout: UInt32 = 0, continueOnError: Bool = false) {
        self.init(name: name, run: run, timeoutSeconds: timeout, continueOnError: continueOnError)
    }
}

extension JobSpec {
    /// A job with 64 MiB of memory.
    static func of(_ steps: [Step], timeout: UInt32 = 0, env: [Variable] = []) -> JobSpec {
        let resources = Resources(cpuMillis: 1000, memoryBytes: 64 << 20, pids: 64, diskBytes: 16 << 20)
        let shape = RunnerShape(image: "test", platform: .linuxAmd64, profile: .strict, resources: resources)
        return JobSpec(name: "test", shape: shape, timeoutSeconds: timeout, env: env, steps: steps)
    }
}

extension Attempt {
    static let test = Attempt(job: 7, attempt: 2, epoch: 1)
}
