// A plan in Docker's words: the body of the create call, and what an inspection has to say afterwards. Both come from
// the same two trees, so that whatever is sent is compared. Dangerous settings that no plan has are sent as nothing, in
// so many words, and compared as well: an engine's default cannot bring them in.

package import SpawnPolicy

/// Of one plan.
package struct ContainerSpec {
    /// At most this much is ever sent: bodies above 1 MiB pass by an engine's authorization plugins.
    package static let bodyLimit = 64 * 1024

    let config: [String: EngineJSON]
    let hostConfig: [String: EngineJSON]
    private let bound: BoundPlan

    package init(_ bound: BoundPlan) {
        self.bound = bound
        config = Self.config(bound)
        hostConfig = Self.confinement(bound.plan)
            .merging(Self.limits(bound.plan)) { first, _ in first }
            .merging(Self.devices(bound.plan.devices)) { first, _ in first }
            .merging(Self.nothing) { first, _ in first }
    }

    /// What is sent, in JSON.
    package var body: EngineJSON {
        .object(config.merging(["HostConfig": .object(hostConfig)]) { first, _ in first })
    }

    static let comparedMembers: Set = [
        "AppArmorProfile", "Args", "Config", "HostConfig", "Image", "Mounts", "Name", "Path",
    ]

    /// What an inspection must say. Labels are compared apart, since an image adds its own.
    var expected: EngineJSON {
        let plan = bound.plan
        var config = config
        config["Labels"] = nil
        return .object([
            "Name": .text("/\(plan.name)"), "Image": .text(bound.imageID), "Path": .text(plan.entryPoint),
            "Args": .list(plan.arguments.map(EngineJSON.text)),
            "Config": .object(config), "HostConfig": .object(hostConfig),
            "Mounts": .list(
                Self.binds(plan).map { bind in
                    .object([
                        "Type": .text("bind"), "Source": .text(bind.source), "Destination": .text(bind.target),
                        "RW": .bool(false), "Propagation": .text("rprivate"),
                    ])
                }),
        ])
    }

    /// All that a container sees of the host's files.
    private static func binds(_ plan: RunnerPlan) -> [(source: String, target: String)] {
        [(plan.runnerBinary, plan.entryPoint), (plan.grantDirectory, SpawnPolicy.grantPath)]
    }

    /// The first field in which the inspection differs, or nil. The epoch is that of the call that made the container:
    /// a later one adopts it.
    func mismatch(in inspection: EngineJSON) -> String? {
        guard case .object(var members) = inspection else { return "" }
        // Engines keep mounts in a table without order.
        if case .list(let mounts)? = members["Mounts"] { members["Mounts"] = .list(mounts.sorted(by: Self.isBefore)) }
        if let field = expected.mismatch(in: .object(members)) { return field }
        if !Self.isProfile(members["AppArmorProfile"]) { return "AppArmorProfile" }
        guard case .object(let config)? = members["Config"], case .object(let host)? = members["HostConfig"] else {
            return "Config"
        }
        guard case .object(let labels)? = config["Labels"] else { return "Config.Labels" }
        let ours = labels.filter { $0.key.hasPrefix("bulkhead.") && $0.key != SpawnPolicy.epochLabel }
        var planned = Self.labels(bound.plan)
        planned[SpawnPolicy.epochLabel] = nil
        if ours != planned { return "Config.Labels" }
        // A mount more than planned would be a member more.
        if host["Tmpfs"] != hostConfig["Tmpfs"] { return "HostConfig.Tmpfs" }
        return nil
    }

    /// None is planned; where the kernel has AppArmor an engine puts its own on, once it starts a container.
    private static func isProfile(_ profile: EngineJSON?) -> Bool {
        switch profile {
        case nil, .null, .text(""), .text("docker-default"): true
        case .text(let name): name.hasPrefix("containers-default-")
        default: false
        }
    }

    private static func isBefore(_ one: EngineJSON, _ other: EngineJSON) -> Bool {
        guard case .object(let one) = one, case .text(let first)? = one["Destination"],
            case .object(let other) = other, case .text(let second)? = other["Destination"]
        else { return false }
        return first < second
    }

    private static func config(_ bound: BoundPlan) -> [String: EngineJSON] {
        let plan = bound.plan
        let variables = plan.environment.map { "\($0.name)=\($0.value)" } + bound.clearedVariables
        return [
            "Image": .text(bound.imageID), "Entrypoint": .list([.text(plan.entryPoint)]),
            "Cmd": .list(plan.arguments.map(EngineJSON.text)),
            // A name without "=" takes the image's variable away.
            "Env": .list(variables.map(EngineJSON.text)),
            "User": .text("\(plan.uid):\(plan.gid)"), "WorkingDir": .text(plan.workingDirectory),
            "Hostname": .text(plan.hostname), "Domainname": .text(""),
            "OpenStdin": .bool(true), "StdinOnce": .bool(false), "Tty": .bool(false),
            "Healthcheck": .object(["Test": .list([.text("NONE")])]), "StopSignal": .text(plan.stopSignal),
            "Labels": .object(labels(plan)),
            "Volumes": .object([:]), "NetworkDisabled": .bool(false),
        ]
    }

    private static func labels(_ plan: RunnerPlan) -> [String: EngineJSON] {
        let pairs = plan.labels.map { ($0.key, EngineJSON.text($0.value)) }
        return Dictionary(pairs, uniquingKeysWith: { first, _ in first })
    }

    private static func confinement(_ plan: RunnerPlan) -> [String: EngineJSON] {
        let tmpfs = plan.temporaryMounts.map { mount in
            let mode = String(mount.mode, radix: 8)
            let options =
                "rw,exec,nosuid,nodev,size=\(mount.bytes),nr_inodes=\(mount.inodes),mode=\(mode),"
                + "uid=\(mount.uid),gid=\(mount.gid)"
            return (mount.path, EngineJSON.text(options))
        }
        return [
            "ReadonlyRootfs": .bool(plan.readOnlyRoot), "Privileged": .bool(false),
            "CapDrop": .list([.text("ALL")]), "CapAdd": .list(plan.capabilities.map(EngineJSON.text)),
            "SecurityOpt": .list([.text("no-new-privileges"), .text("seccomp=\(plan.seccomp)")]),
            "MaskedPaths": .list(plan.maskedPaths.map(EngineJSON.text)),
            "ReadonlyPaths": .list(plan.readOnlyPaths.map(EngineJSON.text)),
            "NetworkMode": .text("none"), "IpcMode": .text("private"), "CgroupnsMode": .text("private"),
            "PidMode": .text(""), "UTSMode": .text(""), "UsernsMode": .text(""), "CgroupParent": .text(""),
            "Runtime": .text(plan.runtime), "Init": .bool(false),
            "Mounts": .list(
                binds(plan).map { bind in
                    .object([
                        "Type": .text("bind"), "Source": .text(bind.source), "Target": .text(bind.target),
                        "ReadOnly": .bool(true), "BindOptions": .object(["Propagation": .text("rprivate")]),
                    ])
                }),
            "Tmpfs": .object(Dictionary(tmpfs, uniquingKeysWith: { first, _ in first })),
            // Not one unmasked byte of a job reaches a disk of the engine's.
            "LogConfig": .object(["Type": .text("none"), "Config": .object([:])]),
            "RestartPolicy": .object(["Name": .text("no"), "MaximumRetryCount": .number(0)]),
            "AutoRemove": .bool(false),
        ]
    }

    private static func limits(_ plan: RunnerPlan) -> [String: EngineJSON] {
        let ulimits = plan.limits.map { limit in
            let value = EngineJSON.number(Int64(clamping: limit.value))
            return EngineJSON.object(["Name": .text(limit.name), "Soft": value, "Hard": value])
        }
        let memory = EngineJSON.number(Int64(clamping: plan.memoryBytes))
        return [
            "Memory": memory, "MemorySwap": memory, "NanoCpus": .number(Int64(plan.cpuMillis) * 1_000_000),
            "PidsLimit": .number(Int64(plan.pids)), "ShmSize": .number(Int64(clamping: plan.sharedMemoryBytes)),
            "Ulimits": .list(ulimits), "OomScoreAdj": .number(Int64(plan.outOfMemoryScore)),
            "OomKillDisable": .bool(false),
        ]
    }

    /// Never `m`: nobody makes a node in a container.
    private static func devices(_ devices: RunnerDevices) -> [String: EngineJSON] {
        let nodes = devices.nodes.map { node in
            EngineJSON.object([
                "PathOnHost": .text(node.path), "PathInContainer": .text(node.path), "CgroupPermissions": .text("rw"),
            ])
        }
        let requests = [devices.request].compactMap(\.self).map { request in
            EngineJSON.object([
                "Driver": .text(request.driver), "Count": .number(0),
                "DeviceIDs": .list(request.ids.map(EngineJSON.text)),
                "Capabilities": .list(
                    request.capabilities.isEmpty ? [] : [.list(request.capabilities.map(EngineJSON.text))]),
                "Options": .object([:]),
            ])
        }
        return [
            "Devices": .list(nodes), "DeviceRequests": .list(requests),
            "GroupAdd": .list(devices.groups.map { .text(String($0)) }),
        ]
    }

    private static let nothing: [String: EngineJSON] = [
        "Binds": .list([]), "VolumesFrom": .list([]), "DeviceCgroupRules": .list([]), "Links": .list([]),
        "ExtraHosts": .list([]),
        "Dns": .list([]), "DnsOptions": .list([]), "DnsSearch": .list([]), "Sysctls": .object([:]),
        "PortBindings": .object([:]), "PublishAllPorts": .bool(false), "StorageOpt": .object([:]),
    ]
}
