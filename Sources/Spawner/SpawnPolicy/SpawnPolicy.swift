// The rule book of spawnerd: a request and the site's policy go in, a plan or a denial comes out. No input, no output,
// no state; imports nothing. Called by Spawning for every CreateRunner, and tested over the whole space of requests.

package enum SpawnPolicy {
    /// Where the runner's file appears in every container. Engines make the mount point in the container's own layer,
    /// so it may be missing in the image, and a read-only root does no harm.
    package static let runnerPath = "/.bulkhead/runner"
    /// Where the runner finds its grant.
    package static let grantPath = "/run/bulkhead"
    package static let instanceLabel = "bulkhead.instance"
    package static let runnerLabel = "bulkhead.runner"
    package static let epochLabel = "bulkhead.epoch"
    package static let grantLabel = "bulkhead.grant"
    /// The ids of the container's devices, with commas between them.
    package static let devicesLabel = "bulkhead.devices"

    /// The one way to a plan.
    package static func plan(
        _ request: RunnerRequest, site: SitePolicy, inventory: HostInventory
    ) -> Result<RunnerPlan, Denial> {
        if let denial = denial(of: request, site: site) { return .failure(denial) }
        return devices(of: request, in: inventory).map { plan(request, site: site, devices: $0) }
    }

    /// Of a request that was found good.
    private static func plan(_ request: RunnerRequest, site: SitePolicy, devices: [HostDevice]) -> RunnerPlan {
        let power = Power(request.profile, untrustedSteps: request.untrustedSteps)
        let resources = request.resources
        let disk = split(resources.diskBytes)
        return RunnerPlan(
            name: containerName(runner: request.runner, instance: site.instance),
            labels: [
                .init(key: devicesLabel, value: devices.map(\.id).joined(separator: ",")),
                .init(key: epochLabel, value: String(request.epoch)),
                .init(key: grantLabel, value: request.grant),
                .init(key: instanceLabel, value: site.instance),
                .init(key: runnerLabel, value: request.runner),
                .init(key: "bulkhead.trust", value: request.trust.rawValue),
                .init(key: "bulkhead.v", value: "3"),
            ],
            image: request.image, platform: request.platform,
            entryPoint: runnerPath, arguments: [request.runner],
            environment: environment + [.init(name: imageVariable, value: request.image)],
            workingDirectory: "/", hostname: "runner", uid: power.owner, gid: power.owner,
            runnerBinary: site.runnerBinary, grantDirectory: "\(site.grantsDirectory)/\(request.grant)",
            readOnlyRoot: request.profile == .strict,
            temporaryMounts: [
                mount("/job", disk.job, mode: power.jobMode, owner: power.owner),
                mount("/tmp", disk.tmp, mode: 0o1777, owner: power.owner),
            ],
            sharedMemoryBytes: disk.shared, capabilities: power.capabilities,
            seccomp: JobSeccomp.json(request.profile), maskedPaths: maskedPaths, readOnlyPaths: readOnlyPaths,
            memoryBytes: resources.memoryBytes, cpuMillis: resources.cpuMillis, pids: resources.pids,
            limits: [
                .init(name: "core", value: 0),
                // A writable root has no size on most engines: at least no single file outgrows the disk.
                .init(name: "fsize", value: resources.diskBytes),
                .init(name: "nofile", value: site.openFiles),
            ],
            outOfMemoryScore: 500, stopSignal: "SIGTERM",
            runtime: site.runtime(for: request.trust),
            devices: RunnerDevices(devices, nvidia: site.nvidia))
    }

    /// The name under which the engine knows a runner of this instance.
    package static func containerName(runner: String, instance: String) -> String {
        "bulkhead-\(instance)-\(runner)"
    }

    /// 32 lower-case hexadecimal digits, nothing else: it becomes part of a path, of the engine's API or of the host.
    package static func isIdentifier(_ text: String) -> Bool {
        text.utf8.count == 32 && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    private static func denial(of request: RunnerRequest, site: SitePolicy) -> Denial? {
        if !isIdentifier(request.runner) { return Denial(.policy, "runner", "a runner is 32 hexadecimal digits") }
        if !isIdentifier(request.grant) { return Denial(.policy, "grant", "a grant is 32 hexadecimal digits") }
        if !isImageName(request.image) { return Denial(.policy, "shape.image", "not the name of an image") }
        if !site.allows(image: request.image) {
            return Denial(.policy, "shape.image", "the site does not allow this image")
        }
        if !site.profiles.contains(request.profile) {
            return Denial(.policy, "shape.profile", "the site does not allow profile \(request.profile.rawValue)")
        }
        return denial(of: request.resources, ceiling: site.ceiling)
    }

    private static func denial(of asked: RunnerResources, ceiling: RunnerResources) -> Denial? {
        typealias Bound = (
            field: String, name: String, show: (UInt64) -> String, asked: UInt64, least: UInt64, most: UInt64
        )
        let bounds: [Bound] = [
            ("cpu_millis", "cpus", Shown.cpus, UInt64(asked.cpuMillis), 10, UInt64(ceiling.cpuMillis)),
            ("memory_bytes", "memory", Shown.size, asked.memoryBytes, 16 << 20, ceiling.memoryBytes),
            ("pids", "pids", Shown.count, UInt64(asked.pids), 8, UInt64(ceiling.pids)),
            ("disk_bytes", "disk", Shown.size, asked.diskBytes, 1 << 20, ceiling.diskBytes),
        ]
        for bound in bounds where bound.asked < bound.least || bound.asked > bound.most {
            let (asked, least, most) = (bound.show(bound.asked), bound.show(bound.least), bound.show(bound.most))
            let text = "resources.\(bound.name) \(asked) is outside the site's \(least) to \(most)"
            return Denial(.policy, "shape.resources.\(bound.field)", text)
        }
        if asked.diskBytes > asked.memoryBytes {
            return Denial(.policy, "shape.resources.disk_bytes", "the disk lies in memory and cannot be larger than it")
        }
        return nil
    }

    /// The characters of `registry:port/name:tag@sha256:digest`, and no way to climb out of a URL's path with them.
    private static func isImageName(_ name: String) -> Bool {
        let bytes = Array(name.utf8)
        guard (1...255).contains(bytes.count), !name.contains("//") else { return false }
        let alphanumeric: (UInt8) -> Bool = {
            (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
        }
        guard alphanumeric(bytes[0]), alphanumeric(bytes[bytes.count - 1]), !name.contains("..") else { return false }
        return bytes.allSatisfy { alphanumeric($0) || "._-/:@".utf8.contains($0) }
    }

    /// Whole pages: /dev/shm an eighth, /tmp a quarter, the rest is /job's.
    private static func split(_ bytes: UInt64) -> (job: UInt64, tmp: UInt64, shared: UInt64) {
        let shared = bytes / 8 / 4096 * 4096
        let tmp = bytes / 4 / 4096 * 4096
        return (bytes / 4096 * 4096 - shared - tmp, tmp, shared)
    }

    private static func mount(_ path: String, _ bytes: UInt64, mode: UInt16, owner: UInt32)
        -> RunnerPlan.TemporaryMount
    {
        // Inodes are memory as well: one for each page of data is plenty.
        .init(path: path, bytes: bytes, inodes: max(1024, bytes / 4096), mode: mode, uid: owner, gid: owner)
    }

    /// Tells the runner which image it lives in. It compares that with the definition that its grant is for: else a
    /// scheduler that was taken over could run somebody's job, and secrets, in an image of its own choice.
    private static let imageVariable = "BULKHEAD_IMAGE"

    private static let environment: [RunnerPlan.Variable] = [
        .init(name: "PATH", value: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
        .init(name: "HOME", value: "/job"),
        .init(name: "LANG", value: "C.UTF-8"),
        // A crash of the runner must not start a program of the image's choice.
        .init(name: "SWIFT_BACKTRACE", value: "enable=no"),
    ]

    private static let maskedPaths = [
        "/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
        "/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/proc/timer_stats",
        "/sys/devices/virtual/powercap", "/sys/firmware",
    ]

    private static let readOnlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
}
