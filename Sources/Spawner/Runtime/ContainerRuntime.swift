// What Spawning needs of whatever runs containers, in the vocabulary of containers. DockerRuntime is the first driver;
// nothing above this file knows which one it talks to.

package import Posix
package import SpawnPolicy

/// A driver. Every call answers exactly once, later, on the loop's thread; none of them blocks.
/// Containers are named by `RunnerPlan.name` or by `ContainerStatus.id`.
package protocol ContainerRuntime: AnyObject {
    typealias Answer<Value> = (Result<Value, RuntimeError>) -> Void

    /// Who the engine is and what it can do.
    func host(_ answer: @escaping Answer<HostFacts>)
    /// `imageMissing` if the engine does not have it; nothing is ever fetched.
    func image(_ name: String, _ answer: @escaping Answer<ImageFacts>)
    /// Makes the container, and does not start it. A name exists once: `.existed` says that it did already.
    func create(_ plan: BoundPlan, _ answer: @escaping Answer<Creation>)
    /// Compares every field of the plan with the engine's own account of the container with this id: `mismatch` names
    /// the first that differs.
    func verify(_ id: String, against plan: BoundPlan, _ answer: @escaping Answer<ContainerStatus>)
    func status(_ name: String, _ answer: @escaping Answer<ContainerStatus>)
    /// A stream to the standard input and from the standard output and error of the container, created or running.
    func attach(_ name: String, _ answer: @escaping (consuming Result<AttachedStream, RuntimeError>) -> Void)
    /// `registered` is called when the engine has begun to watch, `ended` with the exit code when the container ends.
    func wait(
        _ name: String, _ moment: WaitMoment, registered: @escaping () -> Void, ended: @escaping Answer<UInt16>)
    /// Succeeds if it runs already.
    func start(_ name: String, _ answer: @escaping Answer<Void>)
    /// Kills and removes it, with everything that belongs to it. Succeeds if there is none, and not while somebody else
    /// is still removing it.
    func remove(_ name: String, _ answer: @escaping Answer<Void>)
    /// All containers, in any state, that carry exactly this instance's label.
    func list(instance: String, _ answer: @escaping Answer<[ListedContainer]>)
}

package enum Creation: Equatable, Sendable {
    /// `id`: see `ContainerStatus`.
    case made(id: String)
    case existed
}

/// `nextExit`: of a container that has not been started. `notRunning`: at once if it does not run.
package enum WaitMoment: String, Sendable {
    case nextExit = "next-exit"
    case notRunning = "not-running"
}

package enum ContainerState: Equatable, Sendable { case created, running, exited }

package struct ContainerStatus: Equatable, Sendable {
    /// The engine's own, never empty, which no other container will ever have: what was looked at is what is acted on.
    package let id: String
    package let state: ContainerState
    /// 0 to 255, or 128 + signal. Without meaning before the container has ended.
    package let exitCode: UInt16
    /// The kernel killed something in it for want of memory.
    package let outOfMemory: Bool
    /// The engine's own words about a failed start, or empty.
    package let detail: String
    /// The values of the labels by which we know our own; empty if they are missing.
    package let instance: String
    package let runner: String

    package init(
        id: String, state: ContainerState, exitCode: UInt16, outOfMemory: Bool, detail: String, instance: String,
        runner: String
    ) {
        self.id = id
        self.state = state
        self.exitCode = exitCode
        self.outOfMemory = outOfMemory
        self.detail = detail
        self.instance = instance
        self.runner = runner
    }
}

package struct ListedContainer: Equatable, Sendable {
    package let name: String
    package let state: ContainerState
    /// The labels that the policy put there; empty or 0 if they are missing.
    package let runner: String
    package let grant: String
    package let epoch: UInt64
    package let devices: [String]

    package init(
        name: String, state: ContainerState, runner: String, grant: String, epoch: UInt64, devices: [String] = []
    ) {
        self.name = name
        self.state = state
        self.runner = runner
        self.grant = grant
        self.epoch = epoch
        self.devices = devices
    }
}

package struct HostFacts: Equatable, Sendable {
    package let engine: String
    package let version: String
    /// Root in a container is nobody on the host.
    package let userNamespaces: Bool
    package let cpus: UInt32
    package let memoryBytes: UInt64
    package let platforms: [RunnerPlatform]

    package init(
        engine: String, version: String, userNamespaces: Bool, cpus: UInt32, memoryBytes: UInt64,
        platforms: [RunnerPlatform]
    ) {
        self.engine = engine
        self.version = version
        self.userNamespaces = userNamespaces
        self.cpus = cpus
        self.memoryBytes = memoryBytes
        self.platforms = platforms
    }
}

/// An open stream, for handing on. `multiplexed`: from the container in frames of {stream u8, 0 0 0, length u32};
/// `raw`: bytes as they are. Towards the container always raw.
package struct AttachedStream: ~Copyable {
    package enum Framing: Sendable { case raw, multiplexed }

    package var descriptor: FileDescriptor
    package let framing: Framing
    /// What had come behind the engine's answer already.
    package let pending: [UInt8]

    package init(descriptor: consuming FileDescriptor, framing: Framing, pending: [UInt8]) {
        self.descriptor = descriptor
        self.framing = framing
        self.pending = pending
    }

    /// The descriptor, which is the caller's from here on.
    package consuming func take() -> FileDescriptor { descriptor }
}
