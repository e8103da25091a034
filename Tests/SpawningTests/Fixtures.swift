// Values and helpers that several tests of spawnerd share.

import Files
import Foundation
import Posix
import SpawnPolicy
import Wire

let runnerHex = "00112233445566778899aabbccddeeff"

let grantHex = "8899aabbccddeeff0011223344556677"

func site(
    profiles: Set<RunnerProfile> = [.strict, .build], images: [String] = ["*"], runner: String = "/opt/runner",
    grants: String = "/run/grants", untrustedRuntime: String? = nil
) -> SitePolicy {
    SitePolicy(
        instance: "test", runnerBinary: runner, grantsDirectory: grants, images: images,
        ceiling: RunnerResources(cpuMillis: 4000, memoryBytes: 4 << 30, pids: 4096, diskBytes: 2 << 30),
        profiles: profiles, untrustedRuntime: untrustedRuntime)
}

func request(
    runner: String = runnerHex, image: String = "bulkhead/busybox", profile: RunnerProfile = .strict,
    epoch: UInt64 = 7, untrustedSteps: Bool = false, trust: RunnerTrust = .trusted, grant: String = grantHex,
    gpus: RunnerGPUs? = nil, devices: [String] = []
) -> RunnerRequest {
    RunnerRequest(
        runner: runner, epoch: epoch, image: image, platform: hostPlatform, profile: profile,
        resources: RunnerResources(cpuMillis: 1500, memoryBytes: 64 << 20, pids: 64, diskBytes: 16 << 20),
        untrustedSteps: untrustedSteps, trust: trust, grant: grant, gpus: gpus, devices: devices)
}

#if arch(arm64)
    let hostPlatform = RunnerPlatform.arm64
#else
    let hostPlatform = RunnerPlatform.amd64
#endif

func anImage(
    _ id: String = "sha256:abc", environment: [String] = [], volumes: [String] = [], labels: [String] = [],
    architecture: String = hostPlatform.rawValue
) -> ImageFacts {
    ImageFacts(
        id: id, architecture: architecture, environmentNames: environment, volumes: volumes, labelKeys: labels)
}

func boundPlan(_ request: RunnerRequest = request(), site: SitePolicy = site(), image: ImageFacts = anImage()) throws
    -> BoundPlan
{
    try SpawnPolicy.plan(request, site: site, inventory: inventory).get().bound(to: image).get()
}

/// A directory of its own, removed with it; short, since sockets lie in it.
final class TemporaryDirectory {
    let path: String

    init() throws {
        path = "/tmp/bh-spawn-\(UInt64.random(in: 0 ... .max))"
        try Posix.mkdir(path, mode: 0o755)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

struct TimedOut: Error {}

extension PollLoop {
    /// Runs passes until `condition` holds; the limit is generous, nothing is measured.
    func run(until condition: () -> Bool, seconds: Int = 60) throws {
        let end = ContinuousClock.now + .seconds(seconds)
        while !condition() {
            if ContinuousClock.now > end { throw TimedOut() }
            runPass(waiting: .milliseconds(50))
        }
    }

    /// Runs until `start` has called its completion, and returns what it was given.
    func answer<Value>(_ start: (@escaping (Value) -> Void) -> Void) throws -> Value {
        var value: Value?
        start { value = $0 }
        try run { value != nil }
        guard let value else { throw TimedOut() }
        return value
    }
}
