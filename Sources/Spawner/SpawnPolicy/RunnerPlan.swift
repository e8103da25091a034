// The plan of one container, every field by name. A driver turns it into its engine's words and, before the start,
// compares what the engine made with it. What has no field here cannot be asked for: no privilege, nothing of the host
// but the runner's own file, its grant and the GPUs leased to it, no port, no network, no second process.

/// Made by `SpawnPolicy.plan` only.
package struct RunnerPlan: Equatable, Sendable {
    /// `bulkhead-INSTANCE-RUNNER`: the engine lets a name exist once, which makes creating a test-and-set.
    package let name: String
    /// Sorted by key; all begin with `bulkhead.`.
    package let labels: [Label]
    /// The image's name, and the processor it has to be for.
    package let image: String
    package let platform: RunnerPlatform
    /// The program and its arguments; the image's own are never used.
    package let entryPoint: String
    package let arguments: [String]
    package let environment: [Variable]
    package let workingDirectory: String
    package let hostname: String
    package let uid: UInt32
    package let gid: UInt32
    /// The runner's file on the host, mounted read-only at `entryPoint`.
    package let runnerBinary: String
    /// The runner's grant on the host, mounted read-only at `SpawnPolicy.grantPath`.
    package let grantDirectory: String
    package let readOnlyRoot: Bool
    /// Memory file systems, the only places to write in profile strict.
    package let temporaryMounts: [TemporaryMount]
    /// /dev/shm
    package let sharedMemoryBytes: UInt64
    /// All others are dropped. Sorted, with their `CAP_`.
    package let capabilities: [String]
    /// The JSON text of the filter, see `JobSeccomp`.
    package let seccomp: String
    /// Paths of /proc and /sys that look empty, and ones that cannot be written. Never an empty list: engines read that
    /// as "mask nothing".
    package let maskedPaths: [String]
    package let readOnlyPaths: [String]
    /// Memory and swap together: there is no swap.
    package let memoryBytes: UInt64
    package let cpuMillis: UInt32
    package let pids: UInt32
    package let limits: [Limit]
    /// Who dies first when the host is out of memory: a job, not a daemon.
    package let outOfMemoryScore: Int32
    package let stopSignal: String
    package let runtime: String
    package let devices: RunnerDevices

    package struct Label: Equatable, Sendable {
        package let key: String
        package let value: String
    }

    package struct Variable: Equatable, Sendable {
        package let name: String
        package let value: String
    }

    package struct TemporaryMount: Equatable, Sendable {
        package let path: String
        package let bytes: UInt64
        package let inodes: UInt64
        /// Permission bits.
        package let mode: UInt16
        package let uid: UInt32
        package let gid: UInt32
    }

    /// A resource limit of every process, soft and hard alike.
    package struct Limit: Equatable, Sendable {
        package let name: String
        package let value: UInt64
    }
}
