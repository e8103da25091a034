// What may be asked for: the whole language in which another process can talk about a container. Spawning fills it from
// the spawner edge; nothing here is believed before SpawnPolicy has looked at it.

/// The processor that an image is made for.
package enum RunnerPlatform: String, CaseIterable, Sendable {
    case amd64, arm64, riscv64
}

/// How much a runner may do inside its own user namespace. `strict`: read-only root, no capability.
/// `build`: a root that it may write, and the capabilities that installing packages needs.
package enum RunnerProfile: String, CaseIterable, Sendable {
    case strict, build
}

/// How far the author of the job is trusted: it chooses the low-level runtime, and nothing else.
package enum RunnerTrust: String, CaseIterable, Sendable {
    case trusted, approved, untrusted
}

/// One runner, as the scheduler wants it.
package struct RunnerRequest: Equatable, Sendable {
    /// 32 lower-case hexadecimal digits.
    package var runner: String
    /// The scheduler's epoch, for the label.
    package var epoch: UInt64
    /// An image's name as the engine knows it.
    package var image: String
    package var platform: RunnerPlatform
    package var profile: RunnerProfile
    package var resources: RunnerResources
    /// The runner has to be able to start steps as another user.
    package var untrustedSteps: Bool
    package var trust: RunnerTrust
    /// Which of brokerd's directories: 32 lower-case hexadecimal digits, never a path.
    package var grant: String
    package var gpus: RunnerGPUs?
    /// The GPUs that the scheduler has leased to this runner, by id.
    package var devices: [String]

    package init(
        runner: String, epoch: UInt64, image: String, platform: RunnerPlatform, profile: RunnerProfile,
        resources: RunnerResources, untrustedSteps: Bool, trust: RunnerTrust, grant: String, gpus: RunnerGPUs? = nil,
        devices: [String] = []
    ) {
        self.runner = runner
        self.epoch = epoch
        self.image = image
        self.platform = platform
        self.profile = profile
        self.resources = resources
        self.untrustedSteps = untrustedSteps
        self.trust = trust
        self.grant = grant
        self.gpus = gpus
        self.devices = devices
    }
}

/// How many GPUs, and whose; nil: anybody's.
package struct RunnerGPUs: Equatable, Sendable {
    package var count: UInt8
    package var vendor: DeviceVendor?

    package init(count: UInt8, vendor: DeviceVendor? = nil) {
        self.count = count
        self.vendor = vendor
    }
}

/// The limits of one runner. Thousandths of a processor, bytes, processes, bytes.
package struct RunnerResources: Equatable, Sendable {
    package var cpuMillis: UInt32
    package var memoryBytes: UInt64
    package var pids: UInt32
    /// The sum of everything that the runner may write: /job, /tmp and /dev/shm. It lies in memory and counts there.
    package var diskBytes: UInt64

    package init(cpuMillis: UInt32, memoryBytes: UInt64, pids: UInt32, diskBytes: UInt64) {
        self.cpuMillis = cpuMillis
        self.memoryBytes = memoryBytes
        self.pids = pids
        self.diskBytes = diskBytes
    }
}
