// swift-tools-version: 6.2
import PackageDescription

// One folder of Sources is one compartment: whoever knows the processes knows the tree.
// Tests/Layers holds the floors that this graph may not cross.

/// House rules for every target of ours.
let house: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

/// What is linked into a process that holds something worth stealing also has its unsafe code marked.
let trusted: [SwiftSetting] = house + [.strictMemorySafety()]

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

let base: [Target] = [
    .target(name: "CLinux", path: "Sources/Base/CLinux"),
    .target(name: "Posix", dependencies: ["CLinux"], path: "Sources/Base/Posix", swiftSettings: trusted),
    // What a process that guards something does without: it opens no file, starts no process, makes no socket to listen on.
    .target(name: "Files", dependencies: ["CLinux", "Posix"], path: "Sources/Base/Files", swiftSettings: trusted),
    .target(
        name: "Endpoints", dependencies: ["CLinux", "Files", "Posix"], path: "Sources/Base/Endpoints",
        swiftSettings: trusted),
    .target(name: "CSpawn", dependencies: ["CLinux"], path: "Sources/Base/CSpawn"),
    .target(
        name: "Processes", dependencies: ["CSpawn", "Posix"], path: "Sources/Base/Processes", swiftSettings: trusted),
    .target(name: "Sandbox", dependencies: ["CLinux", "Posix"], path: "Sources/Base/Sandbox", swiftSettings: trusted),
    .target(name: "Daemon", dependencies: ["Posix", "Sandbox"], path: "Sources/Base/Daemon", swiftSettings: trusted),
]

let wire: [Target] = [
    .target(name: "Wire", path: "Sources/Wire/Wire", swiftSettings: trusted),
    .target(name: "Link", dependencies: ["Wire", "Posix"], path: "Sources/Wire/Link", swiftSettings: trusted),
    // A client without a loop and a transport over pipes: for tests and the benchmark, in no daemon.
    .target(
        name: "LinkBlocking", dependencies: ["Link", "Posix", "Wire"], path: "Sources/Wire/LinkBlocking",
        swiftSettings: trusted),
    .target(name: "WireSchema", dependencies: [crypto], path: "Sources/Wire/WireSchema", swiftSettings: house),
    .executableTarget(
        name: "wiregen", dependencies: ["WireSchema"], path: "Sources/Wire/wiregen", swiftSettings: house),
]

let jobs: [Target] = [
    .target(name: "JobModel", path: "Sources/Jobs/JobModel", swiftSettings: house)
]

let api: [Target] = [
    .target(
        name: "APIServer", dependencies: ["Daemon", "Files", "JobModel", "Link", "Posix", "Wire", hummingbird],
        path: "Sources/API/APIServer", swiftSettings: house),
    .executableTarget(
        name: "bulkhead-apid", dependencies: ["APIServer", "Daemon", "Link", "Posix", "Wire"],
        path: "Sources/API/bulkhead-apid",
        swiftSettings: house),
]

let scheduler: [Target] = [
    .target(
        name: "Store", dependencies: ["JobModel", "Wire", grdb], path: "Sources/Scheduler/Store", swiftSettings: house),
    .target(
        name: "Scheduling", dependencies: ["Daemon", "Files", "JobModel", "Link", "Posix", "Store", "Wire", crypto],
        path: "Sources/Scheduler/Scheduling", swiftSettings: house),
    .executableTarget(
        name: "bulkhead-schedulerd", dependencies: ["Scheduling", "Daemon", "Link", "Posix", "Store", "Wire"],
        path: "Sources/Scheduler/bulkhead-schedulerd", swiftSettings: house),
]

let spawner: [Target] = [
    .target(name: "SpawnPolicy", path: "Sources/Spawner/SpawnPolicy", swiftSettings: trusted),
    .target(
        name: "Runtime", dependencies: ["Posix", "SpawnPolicy"], path: "Sources/Spawner/Runtime",
        swiftSettings: trusted),
    .target(
        name: "DockerRuntime", dependencies: ["Posix", "Runtime", "SpawnPolicy"], path: "Sources/Spawner/DockerRuntime",
        swiftSettings: trusted),
    .target(
        name: "Spawning", dependencies: ["Daemon", "Link", "Posix", "Runtime", "SpawnPolicy", "Wire"],
        path: "Sources/Spawner/Spawning", swiftSettings: trusted),
    .executableTarget(
        name: "bulkhead-spawnerd",
        dependencies: ["Spawning", "Daemon", "DockerRuntime", "Link", "Posix", "SpawnPolicy", "Wire"],
        path: "Sources/Spawner/bulkhead-spawnerd", swiftSettings: trusted),
]

let relay: [Target] = [
    .target(
        name: "LogStore", dependencies: ["Files", "Posix", "Wire", crypto], path: "Sources/Relay/LogStore",
        swiftSettings: house),
    .target(
        name: "Relaying", dependencies: ["Daemon", "Endpoints", "Files", "Link", "LogStore", "Posix", "Wire"],
        path: "Sources/Relay/Relaying",
        swiftSettings: house),
    .executableTarget(
        name: "bulkhead-relayd", dependencies: ["Relaying", "Daemon", "Link", "LogStore", "Posix", "Wire"],
        path: "Sources/Relay/bulkhead-relayd",
        swiftSettings: house),
]

let runner: [Target] = [
    .target(
        name: "RunnerCore",
        dependencies: ["CLinux", "CSpawn", "Endpoints", "Files", "Link", "Posix", "Processes", "Wire"],
        path: "Sources/Runner/RunnerCore",
        swiftSettings: house),
    // PID 1 of any image, so it brings everything with it: static, no Foundation.
    .executableTarget(
        name: "bulkhead-runner", dependencies: ["RunnerCore"], path: "Sources/Runner/bulkhead-runner",
        swiftSettings: house,
        linkerSettings: [.unsafeFlags(["-static-executable", "-use-ld=lld"])]),
]

let cli: [Target] = [
    .target(
        name: "BulkheadCLI",
        dependencies: ["Daemon", "Endpoints", "Files", "JobModel", "Posix", "Processes", argumentParser, crypto, yams],
        path: "Sources/CLI/BulkheadCLI", swiftSettings: house),
    .executableTarget(
        name: "bulkhead", dependencies: ["BulkheadCLI"], path: "Sources/CLI/bulkhead", swiftSettings: house),
]

let tests: [Target] = [
    .executableTarget(
        name: "link-bench", dependencies: ["Endpoints", "Link", "LinkBlocking", "Posix", "Wire"],
        path: "Tests/Bench/LinkBench",
        swiftSettings: house),
    .testTarget(
        name: "PosixTests", dependencies: ["Daemon", "Endpoints", "Files", "Posix", "Processes", "Sandbox"],
        swiftSettings: house),
    .testTarget(name: "WireTests", dependencies: ["Wire", "WireSchema"], swiftSettings: house),
    .testTarget(
        name: "LinkTests", dependencies: ["Endpoints", "Files", "Link", "LinkBlocking", "Posix", "Wire"],
        swiftSettings: house),
    .testTarget(name: "JobModelTests", dependencies: ["JobModel"], swiftSettings: house),
    .testTarget(
        name: "SchedulingTests",
        dependencies: [
            "Daemon", "Endpoints", "Files", "JobModel", "Link", "Posix", "Scheduling", "Store", "Wire", grdb,
        ],
        swiftSettings: house),
    .testTarget(
        name: "SpawningTests",
        dependencies: [
            "DockerRuntime", "Endpoints", "Files", "Link", "Posix", "Runtime", "SpawnPolicy", "Spawning", "Wire",
        ],
        swiftSettings: house),
    .testTarget(
        name: "RelayingTests", dependencies: ["Endpoints", "Files", "Link", "LogStore", "Posix", "Relaying", "Wire"],
        swiftSettings: house),
    // The runner with a directory of its own instead of a container's paths; RunnerCoreTests start it as a child.
    .executableTarget(
        name: "runner-fixture", dependencies: ["RunnerCore", "Wire"], path: "Tests/RunnerFixture", swiftSettings: house),
    .testTarget(
        name: "RunnerCoreTests",
        dependencies: [
            "Endpoints", "Files", "Link", "LinkBlocking", "Posix", "Processes", "RunnerCore", "Wire", "runner-fixture",
        ],
        swiftSettings: house),
    .testTarget(
        name: "APIServerTests", dependencies: ["APIServer", "Endpoints", "Files", "JobModel", "Link", "Posix", "Wire"],
        swiftSettings: house),
    .testTarget(name: "BulkheadCLITests", dependencies: ["BulkheadCLI", "JobModel"], swiftSettings: house),
]

let package = Package(
    name: "bulkhead",
    products: [
        .executable(name: "bulkhead", targets: ["bulkhead"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0", traits: []),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
    ],
    targets: base + wire + jobs + api + scheduler + spawner + relay + runner + cli + tests,
    swiftLanguageModes: [.v6]
)
