// What a site says on spawnerd's command line: no request can change a word of it.

import Daemon
import SpawnPolicy

enum Settings {
    static let keys: [Key] = [
        .required("engine-socket", .path, "The engine's Unix socket"),
        .required("stream-socket", .path, "relayd's socket for streams"),
        .required("schedulerd-uid", .uid, "The only user that may call the spawner edge"),
        .required("instance", .string, "Tells this house's containers from those of others on the same engine"),
        .required("runner-path", .path, "The static bulkhead-runner, readable for everybody on the engine's host"),
        .required("grants", .path, "brokerd's file system of grants, as the engine's host knows it"),
        .defaulted("images", .list, "*", "Images that may run; one that ends in * stands for all that begin so"),
        .defaulted("allow-build-profile", .bool, "false", "Allow profile build too: writable root, six capabilities"),
        .defaulted("allow-no-userns", .bool, "false", "Run although root in a runner would be root of the host"),
        .defaulted("runtime", .string, "runc", "The engine's name of the low-level runtime"),
        .optional("runtime-untrusted", .string, "The same for jobs of authors who are not trusted: runsc, say"),
        .defaulted("max-cpus", .int(1...4096), "64", "Processors of the largest runner"),
        .defaulted("max-memory", .int(1...65536, unit: "GiB"), "64", "Memory of the largest runner"),
        .defaulted("max-disk", .int(1...65536, unit: "GiB"), "64", "Disk of the largest runner; it lies in memory"),
        .defaulted("max-files", .int(64...1_048_576), "4096", "Open files of one process; not above the engine's own"),
        .defaulted("max-pids", .int(8...1_000_000), "16384", "Processes and threads of the largest runner"),
        .defaulted(
            "nvidia", .choice(NVIDIAPassing.allCases.map(\.rawValue)), "requests", "How an NVIDIA GPU is asked for"),
        .defaulted("host-tree", .path, "/", "Where the host's proc, sys and dev are seen: devices and emulators"),
    ]

    static func site(_ settings: Configuration) -> SitePolicy {
        let ceiling = RunnerResources(
            cpuMillis: UInt32(settings.int("max-cpus")) * 1000, memoryBytes: UInt64(settings.int("max-memory")) << 30,
            pids: UInt32(settings.int("max-pids")), diskBytes: UInt64(settings.int("max-disk")) << 30)
        return SitePolicy(
            instance: settings.string("instance"), runnerBinary: settings.path("runner-path"),
            grantsDirectory: settings.path("grants"), images: settings.list("images"), ceiling: ceiling,
            profiles: settings.bool("allow-build-profile") ? [.strict, .build] : [.strict],
            allowNoUserNamespaces: settings.bool("allow-no-userns"), runtime: settings.string("runtime"),
            untrustedRuntime: settings.optionalString("runtime-untrusted"),
            openFiles: UInt64(settings.int("max-files")),
            nvidia: NVIDIAPassing(rawValue: settings.string("nvidia")) ?? .requests)
    }
}
