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
/// RSA, which GitHub wants of its apps.
let cryptoExtras: Target.Dependency = .product(name: "CryptoExtras", package: "swift-crypto")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

let base: [Target] = [
    .target(name: "CLinux", path: "Sources/Base/CLinux"),
    .target(name: "Posix", dependencies: ["CLinux"], path: "Sources/Base/Posix", swiftSettings: trusted),
    // What a process that guards something does without: it opens no file, starts no process, makes no socket to listen
    // on.
    .target(name: "Files", dependencies: ["CLinux", "Posix"], path: "Sources/Base/Files", swiftSettings: trusted),
    .target(
        name: "Endpoints", dependencies: ["CLinux", "Files", "Posix"], path: "Sources/Base/Endpoints",
        swiftSettings: trusted),
    .target(name: "CSpawn", dependencies: ["CLinux"], path: "Sources/Base/CSpawn"),
    .target(
        name: "Processes", dependencies: ["CSpawn", "Posix"], path: "Sources/Base/Processes", swiftSettings: trusted),
    // HTTP for the CLI, and for courierd, which talks to the outside. Never for a daemon that guards something.
    .systemLibrary(name: "CCurl", path: "Sources/Base/CCurl", pkgConfig: "libcurl"),
    .systemLibrary(name: "CZlib", path: "Sources/Base/CZlib", pkgConfig: "zlib"),
    .systemLibrary(name: "CSeccomp", path: "Sources/Base/CSeccomp", pkgConfig: "libseccomp"),
    // The profiles are data: they are compiled in, so that no file can be missing or changed when a daemon starts.
    .target(
        name: "Sandbox", dependencies: ["CLinux", "CSeccomp", "Posix"], path: "Sources/Base/Sandbox",
        resources: [.embedInCode("Profiles")], swiftSettings: trusted),
    // Stands in front of the C library's free in every program that holds a Secret.
    .target(name: "CWipe", path: "Sources/Base/CWipe"),
    .target(
        name: "Secret", dependencies: ["CLinux", "CWipe", "Posix"], path: "Sources/Base/Secret",
        swiftSettings: trusted),
    // SHA-256 and ChaCha20-Poly1305 for the static runner: swift-crypto would bring Foundation into every container.
    .systemLibrary(name: "CNettle", path: "Sources/Base/CNettle", pkgConfig: "nettle"),
    .target(name: "Daemon", dependencies: ["Posix", "Sandbox"], path: "Sources/Base/Daemon", swiftSettings: trusted),
    .target(name: "Exposition", path: "Sources/Base/Exposition", swiftSettings: trusted),
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
    // What strangers write, read within bounds; brokerd reads deliveries with it.
    .target(name: "Documents", path: "Sources/Jobs/Documents", swiftSettings: trusted),
    // The archives of sources: courierd writes them, the runner unpacks them.
    .target(name: "Tar", path: "Sources/Jobs/Tar", swiftSettings: trusted),
    .target(name: "JobModel", dependencies: ["Documents"], path: "Sources/Jobs/JobModel", swiftSettings: house),
    // A job file in the words of the wire: apid and the CLI come to the same definition, and so to the same hash.
    .target(
        name: "JobWire", dependencies: ["JobModel", "ProjectModel", "Wire"], path: "Sources/Jobs/JobWire",
        swiftSettings: house),
    // How far whose commits are trusted, and what an approval is: pure, and linked into brokerd, which decides by it.
    .target(
        name: "TrustModel", dependencies: ["ForgeModel"], path: "Sources/Jobs/TrustModel", swiftSettings: trusted),
    // What runs for an event: the rest of a project, its file and its jobs.
    .target(
        name: "ProjectModel", dependencies: ["Documents", "ForgeModel", "JobModel", "TrustModel"],
        path: "Sources/Jobs/ProjectModel", swiftSettings: house),
    // YAML, which people write: for the CLI, and for courierd, which reads the job files of repositories.
    .target(
        name: "YAMLDocuments", dependencies: ["Documents", "JobModel", "ProjectModel", yams],
        path: "Sources/Jobs/YAMLDocuments", swiftSettings: house),
    // Events and rules in the words of the wire.
    .target(
        name: "TrustWire", dependencies: ["ForgeModel", "TrustModel", "Wire"], path: "Sources/Jobs/TrustWire",
        swiftSettings: trusted),
]

// Linked into brokerd: small, and without Foundation.
let forges: [Target] = [
    .target(name: "ForgeModel", path: "Sources/Forges/ForgeModel", swiftSettings: trusted),
    .target(
        name: "Deliveries", dependencies: ["Documents", "ForgeModel"], path: "Sources/Forges/Deliveries",
        swiftSettings: trusted),
    .target(
        name: "Signatures", dependencies: ["Deliveries", "Secret", crypto], path: "Sources/Forges/Signatures",
        swiftSettings: trusted),
    .target(
        name: "GitHub", dependencies: ["Deliveries", "ForgeModel"], path: "Sources/Forges/GitHub",
        swiftSettings: trusted),
    .target(
        name: "GitLab", dependencies: ["Deliveries", "ForgeModel"], path: "Sources/Forges/GitLab",
        swiftSettings: trusted),
    .target(
        name: "Gitea", dependencies: ["Deliveries", "ForgeModel"], path: "Sources/Forges/Gitea",
        swiftSettings: trusted),
]

let api: [Target] = [
    .target(
        name: "APIServer",
        dependencies: [
            "Daemon", "Documents", "Exposition", "Files", "JobModel", "JobWire", "Link", "Posix", "Wire", hummingbird,
        ],
        path: "Sources/API/APIServer", swiftSettings: house),
    .executableTarget(
        name: "bulkhead-apid", dependencies: ["APIServer", "Daemon", "Link", "Posix", "Sandbox", "Wire"],
        path: "Sources/API/bulkhead-apid",
        swiftSettings: house),
]

let scheduler: [Target] = [
    // The same library that GRDB stands on.
    .systemLibrary(name: "CSQLite", path: "Sources/Scheduler/CSQLite"),
    .target(
        name: "Store", dependencies: ["CSQLite", "JobModel", "JobWire", "Wire", grdb], path: "Sources/Scheduler/Store",
        swiftSettings: house),
    .target(
        name: "Scheduling",
        dependencies: [
            "Daemon", "Documents", "Exposition", "Files", "ForgeModel", "JobModel", "JobWire", "Link", "Posix",
            "ProjectModel", "Store", "TrustModel", "TrustWire", "Wire", crypto,
        ],
        path: "Sources/Scheduler/Scheduling", swiftSettings: house),
    .executableTarget(
        name: "bulkhead-schedulerd",
        dependencies: ["Scheduling", "Daemon", "Link", "Posix", "Sandbox", "Store", "Wire"],
        path: "Sources/Scheduler/bulkhead-schedulerd", swiftSettings: house),
]

let spawner: [Target] = [
    .target(name: "SpawnPolicy", path: "Sources/Spawner/SpawnPolicy", swiftSettings: trusted),
    // What spawnerd reads of its host's files, before it confines itself.
    .target(name: "CHostTree", path: "Sources/Spawner/CHostTree"),
    .target(
        name: "Devices", dependencies: ["CHostTree", "Posix", "SpawnPolicy"], path: "Sources/Spawner/Devices",
        swiftSettings: trusted),
    .target(
        name: "Runtime", dependencies: ["Posix", "SpawnPolicy"], path: "Sources/Spawner/Runtime",
        swiftSettings: trusted),
    .target(
        name: "DockerRuntime", dependencies: ["Posix", "Runtime", "SpawnPolicy"], path: "Sources/Spawner/DockerRuntime",
        swiftSettings: trusted),
    .target(
        name: "Spawning", dependencies: ["Daemon", "Devices", "Link", "Posix", "Runtime", "SpawnPolicy", "Wire"],
        path: "Sources/Spawner/Spawning", swiftSettings: trusted),
    .executableTarget(
        name: "bulkhead-spawnerd",
        dependencies: [
            "Spawning", "Daemon", "Devices", "DockerRuntime", "Link", "Posix", "Sandbox", "SpawnPolicy", "Wire",
        ],
        path: "Sources/Spawner/bulkhead-spawnerd", swiftSettings: trusted),
]

let broker: [Target] = [
    // What the CLI seals and brokerd opens.
    .target(name: "Orders", dependencies: ["Wire", crypto], path: "Sources/Broker/Orders", swiftSettings: trusted),
    .target(
        name: "Vault", dependencies: ["Files", "Orders", "Posix", "Secret", "Wire", crypto],
        path: "Sources/Broker/Vault", swiftSettings: trusted),
    .target(
        name: "Brokering",
        dependencies: [
            "Daemon", "Deliveries", "Files", "ForgeModel", "GitHub", "GitLab", "Gitea", "Link", "Orders", "Posix",
            "Secret", "Signatures", "TrustModel", "TrustWire", "Vault", "Wire", crypto, cryptoExtras,
        ],
        path: "Sources/Broker/Brokering", swiftSettings: trusted),
    .executableTarget(
        name: "bulkhead-brokerd",
        dependencies: ["Brokering", "Daemon", "Link", "Posix", "Sandbox", "Vault", "Wire"],
        path: "Sources/Broker/bulkhead-brokerd", swiftSettings: trusted),
]

let relay: [Target] = [
    .target(name: "Masker", dependencies: ["Secret"], path: "Sources/Relay/Masker", swiftSettings: house),
    .target(
        name: "LogStore", dependencies: ["Files", "Posix", "Wire", crypto], path: "Sources/Relay/LogStore",
        swiftSettings: house),
    .target(
        name: "Relaying",
        dependencies: [
            "Daemon", "Endpoints", "Files", "Link", "LogStore", "Masker", "Posix", "Secret", "Wire",
        ],
        path: "Sources/Relay/Relaying",
        swiftSettings: house),
    .executableTarget(
        name: "bulkhead-relayd",
        dependencies: ["Relaying", "Daemon", "Link", "LogStore", "Posix", "Sandbox", "Wire"],
        path: "Sources/Relay/bulkhead-relayd",
        swiftSettings: house),
]

// What talks to forges. Its answers are hostile, and it holds their tokens while it asks.
let courier: [Target] = [
    .target(name: "Exchange", path: "Sources/Courier/Exchange", swiftSettings: trusted),
    .target(
        name: "Outbound", dependencies: ["CCurl", "Exchange", "Files", "Posix", "Secret"],
        path: "Sources/Courier/Outbound", swiftSettings: trusted),
    .target(
        name: "ForgeCalls", dependencies: ["Documents", "Exchange", "ForgeModel"], path: "Sources/Courier/Forge",
        swiftSettings: trusted),
    .target(
        name: "GitHubCalls", dependencies: ["Exchange", "ForgeCalls", "ForgeModel"], path: "Sources/Courier/GitHub",
        swiftSettings: trusted),
    .target(
        name: "GitLabCalls", dependencies: ["Exchange", "ForgeCalls", "ForgeModel"], path: "Sources/Courier/GitLab",
        swiftSettings: trusted),
    .target(
        name: "GiteaCalls", dependencies: ["Exchange", "ForgeCalls", "ForgeModel"], path: "Sources/Courier/Gitea",
        swiftSettings: trusted),
    // GitLab's protocol for runners, without a socket: requests, answers and the machines between them.
    .target(
        name: "GitLabRunner", dependencies: ["CZlib", "Documents", "Exchange", "ForgeCalls", "ForgeModel"],
        path: "Sources/Courier/GitLabRunner", swiftSettings: trusted),
    .target(
        name: "RunnerErrands", dependencies: ["Exchange", "Files", "GitLabRunner", "Outbound", "Posix", "Secret"],
        path: "Sources/Courier/RunnerErrands", swiftSettings: trusted),
    .target(
        name: "SourceArchive", dependencies: ["CZlib", "Exchange", "Files", "Posix", "Tar", crypto],
        path: "Sources/Courier/Archive", swiftSettings: trusted),
    .target(
        name: "Errands", dependencies: ["Exchange", "ForgeCalls", "ForgeModel", "Outbound", "Posix", "Secret"],
        path: "Sources/Courier/Errands", swiftSettings: trusted),
    .target(
        name: "Couriering",
        dependencies: [
            "Daemon", "Errands", "Exchange", "Files", "ForgeCalls", "ForgeModel", "GitHubCalls", "GitLabCalls",
            "GiteaCalls", "GitLabRunner", "JobModel", "JobWire", "Link", "Outbound", "Posix", "ProjectModel",
            "RunnerErrands", "Secret", "SourceArchive", "TrustModel", "TrustWire", "Wire", "YAMLDocuments", crypto,
        ],
        path: "Sources/Courier/Couriering", swiftSettings: house),
    .executableTarget(
        name: "bulkhead-courierd",
        dependencies: ["Couriering", "Daemon", "Link", "Outbound", "Posix", "Sandbox", "Wire"],
        path: "Sources/Courier/bulkhead-courierd", swiftSettings: house),
]

let runner: [Target] = [
    .target(
        name: "RunnerCore",
        dependencies: [
            "CLinux", "CNettle", "CSpawn", "Endpoints", "Files", "Link", "Posix", "Processes", "Tar", "Wire",
        ],
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
        dependencies: [
            "CCurl", "Documents", "Endpoints", "Files", "JobModel", "JobWire", "Orders", "Posix", "Processes",
            "ProjectModel", "TrustModel", "TrustWire", "Wire", "YAMLDocuments", argumentParser, crypto, yams,
        ],
        path: "Sources/CLI/BulkheadCLI", swiftSettings: house),
    .executableTarget(
        name: "bulkhead", dependencies: ["BulkheadCLI"], path: "Sources/CLI/bulkhead", swiftSettings: house),
]

let tests: [Target] = [
    .executableTarget(
        name: "link-bench", dependencies: ["Endpoints", "Link", "LinkBlocking", "Posix", "Wire"],
        path: "Tests/Bench/LinkBench",
        swiftSettings: house),
    .executableTarget(
        name: "bare-post", dependencies: [hummingbird], path: "Tests/Bench/BarePost", swiftSettings: house),
    .executableTarget(
        name: "mask-bench", dependencies: ["Files", "Masker", "Posix"], path: "Tests/Bench/MaskBench",
        swiftSettings: house),
    .executableTarget(
        name: "store-bench", dependencies: ["JobModel", "Posix", "Store", "Wire"], path: "Tests/Bench/StoreBench",
        swiftSettings: house),
    .testTarget(
        name: "PosixTests", dependencies: ["Daemon", "Endpoints", "Files", "Posix", "Processes", "Sandbox"],
        swiftSettings: house),
    // Confines itself as a daemon does, and then does what it must not; Tests/Sandbox starts it.
    .target(name: "CVictim", path: "Tests/SandboxVictim/CVictim"),
    .executableTarget(
        name: "sandbox-victim", dependencies: ["CSeccomp", "CVictim", "Daemon", "Posix", "Sandbox"],
        path: "Tests/SandboxVictim/Victim", swiftSettings: house),
    .testTarget(name: "WireTests", dependencies: ["Wire", "WireSchema"], swiftSettings: house),
    .testTarget(
        name: "LinkTests", dependencies: ["Endpoints", "Files", "Link", "LinkBlocking", "Posix", "Wire"],
        swiftSettings: house),
    .testTarget(
        name: "JobModelTests", dependencies: ["Documents", "JobModel", "JobWire", "Wire"], swiftSettings: house),
    // Projects are written as people write them, so the CLI's reader is here, too.
    .testTarget(
        name: "ProjectModelTests",
        dependencies: [
            "BulkheadCLI", "Documents", "ForgeModel", "JobModel", "JobWire", "ProjectModel", "TrustModel", "TrustWire",
            "Wire", "YAMLDocuments",
        ],
        swiftSettings: house),
    .testTarget(
        name: "ForgesTests",
        dependencies: [
            "Deliveries", "Documents", "ForgeModel", "GitHub", "GitLab", "Gitea", "Secret", "Signatures", crypto,
        ],
        exclude: ["Payloads"], swiftSettings: house),
    // Whether the time of a signature check tells anything, and what a delivery of the largest size costs.
    .executableTarget(
        name: "forge-bench",
        dependencies: ["Deliveries", "Files", "ForgeModel", "GitHub", "Posix", "Secret", "Signatures", crypto],
        path: "Tests/Bench/ForgeBench", swiftSettings: house),
    // brokerd's parts with named points at which it dies; BrokeringTests start it as a child.
    .executableTarget(
        name: "broker-fixture",
        dependencies: ["Brokering", "Daemon", "Files", "Link", "Orders", "Posix", "Secret", "Vault", "Wire"],
        path: "Tests/BrokerFixture", swiftSettings: house),
    .testTarget(
        name: "BrokeringTests",
        dependencies: [
            "Brokering", "Daemon", "Endpoints", "Files", "Link", "LinkBlocking", "Orders", "Posix", "Processes",
            "Secret", "Vault", "Wire", "broker-fixture", crypto, cryptoExtras,
        ],
        swiftSettings: house),
    // Keeps a secret well or badly; Tests/Security looks for it in its memory.
    .executableTarget(
        name: "leak-fixture", dependencies: ["Exchange", "Masker", "Outbound", "Posix", "Secret"],
        path: "Tests/LeakFixture", swiftSettings: house),
    .testTarget(name: "MaskerTests", dependencies: ["Masker", "Secret"], swiftSettings: house),
    .testTarget(
        name: "SchedulingTests",
        dependencies: [
            "Daemon", "Endpoints", "Exposition", "Files", "JobModel", "JobWire", "Link", "Posix", "Scheduling", "Store",
            "Wire", crypto, grdb,
        ],
        swiftSettings: house),
    // schedulerd, its protocol and a model of everything around it, in virtual time and with faults.
    .executableTarget(
        name: "simulate",
        dependencies: [
            "Daemon", "Endpoints", "Files", "JobModel", "JobWire", "Link", "Posix", "Scheduling", "Store", "Wire",
            crypto,
        ],
        path: "Tests/Simulation", exclude: ["simulate.sh"], swiftSettings: house),
    .testTarget(
        name: "SpawningTests",
        dependencies: [
            "Devices", "DockerRuntime", "Endpoints", "Files", "Link", "Posix", "Runtime", "SpawnPolicy", "Spawning",
            "Wire",
        ],
        swiftSettings: house),
    .testTarget(
        name: "RelayingTests",
        dependencies: [
            "Endpoints", "Files", "Link", "LogStore", "Masker", "Posix", "Processes", "Relaying", "Secret", "Wire",
            "runner-fixture",
        ],
        swiftSettings: house),
    // The runner with a directory of its own instead of a container's paths; RunnerCoreTests start it as a child.
    .executableTarget(
        name: "runner-fixture", dependencies: ["RunnerCore", "Wire"], path: "Tests/RunnerFixture",
        swiftSettings: house),
    .target(name: "TarFixtures", path: "Tests/TarFixtures", swiftSettings: house),
    .testTarget(
        name: "RunnerCoreTests",
        dependencies: [
            "CNettle", "Endpoints", "Files", "Link", "LinkBlocking", "Posix", "Processes", "RunnerCore", "Tar",
            "TarFixtures", "Wire", "runner-fixture",
        ],
        swiftSettings: house),
    .testTarget(
        name: "OutboundTests", dependencies: ["Endpoints", "Exchange", "Files", "Outbound", "Posix", "Secret"],
        swiftSettings: house),
    .testTarget(
        name: "ForgeCallsTests",
        dependencies: [
            "Documents", "Exchange", "ForgeCalls", "ForgeModel", "GitHubCalls", "GitLabCalls", "GiteaCalls",
        ],
        swiftSettings: house),
    .testTarget(
        name: "GitLabRunnerTests",
        dependencies: ["Exchange", "ForgeCalls", "ForgeModel", "GitLabRunner"], exclude: ["Payloads"],
        swiftSettings: house),
    .testTarget(
        name: "CourieringTests", dependencies: ["Couriering", "GitLabRunner", "Wire"], swiftSettings: house),
    // One call at a forge from the command line.
    .executableTarget(
        name: "forge-probe",
        dependencies: [
            "Errands", "Exchange", "Files", "ForgeCalls", "ForgeModel", "GitHubCalls", "GitLabCalls", "GiteaCalls",
            "Outbound", "Posix", "Secret", "SourceArchive",
        ],
        path: "Tests/ForgeProbe", swiftSettings: house),
    // GitLab's runner protocol from the command line: what takes jobs and runs none.
    .executableTarget(
        name: "runner-probe",
        dependencies: ["Exchange", "Files", "GitLabRunner", "Outbound", "Posix", "RunnerErrands", "Secret"],
        path: "Tests/RunnerProbe", swiftSettings: house),
    // Artifacts packed and laid over a source, between files.
    .executableTarget(
        name: "archive-probe", dependencies: ["Files", "Posix", "SourceArchive"], path: "Tests/ArchiveProbe",
        swiftSettings: house),
    .testTarget(
        name: "SourceArchiveTests",
        dependencies: ["CZlib", "Exchange", "Files", "Posix", "SourceArchive", "Tar", "TarFixtures", crypto],
        swiftSettings: house),
    .testTarget(
        name: "APIServerTests", dependencies: ["APIServer", "Endpoints", "Files", "JobModel", "Link", "Posix", "Wire"],
        swiftSettings: house),
    .testTarget(
        name: "BulkheadCLITests",
        dependencies: [
            "BulkheadCLI", "Endpoints", "Files", "JobModel", "JobWire", "Orders", "Posix", "Wire", "YAMLDocuments",
            crypto,
        ],
        swiftSettings: house),
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
    targets: base + wire + jobs + forges + api + scheduler + spawner + broker + relay + courier + runner + cli + tests,
    swiftLanguageModes: [.v6]
)
