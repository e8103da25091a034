// What the policy and the driver say, in the words of the wire.

import Link
import Runtime
import SpawnPolicy
import Wire

extension Failure {
    init(_ denial: Denial) {
        self.init(denial.reason == .image ? .imageRefused : .deniedByPolicy, denial.text, place: denial.place)
    }

    init(_ error: RuntimeError) {
        switch error {
        case .unavailable(let text): self.init(.engineUnavailable, text)
        case .garbled(let text): self.init(.engineUnavailable, "the engine's answer makes no sense: \(text)")
        case .refused(400, let text):
            // The request itself is wrong for this engine: asking again would block the queue for ever.
            self.init(.invalid, "the engine said 400: \(text)", place: "shape")
        case .refused(500, let text) where text.hasSuffix(": unavailable"):
            // The part of the engine that holds the containers (containerd) is being started again, and has not looked
            // at this one. The end is containerd's own word, whatever an image's author has put in front of it.
            self.init(.engineUnavailable, "the engine said 500: \(text)")
        case .refused(let status, let text): self.init(.engineRefused, "the engine said \(status): \(text)")
        case .imageMissing(let name): self.init(.imageMissing, "no image \(name)", place: "shape.image")
        case .noSuchContainer: self.init(.runnerGone, "the runner's container is gone")
        case .mismatch(let field):
            self.init(.engineMismatch, "\(field) is not what was planned; the container was removed", place: field)
        }
    }
}

extension RunnerRequest {
    init(_ request: SpawnerEdge.CreateRunner) {
        let shape = request.shape
        let platform: RunnerPlatform =
            switch shape.platform {
            case .linuxAmd64: .amd64
            case .linuxArm64: .arm64
            case .linuxRiscv64: .riscv64
            }
        let profile: RunnerProfile =
            switch shape.profile {
            case .strict: .strict
            case .build: .build
            }
        self.init(
            runner: request.runner.hex, epoch: request.epoch, image: shape.image, platform: platform, profile: profile,
            resources: RunnerResources(
                cpuMillis: shape.resources.cpuMillis, memoryBytes: shape.resources.memoryBytes,
                pids: shape.resources.pids, diskBytes: shape.resources.diskBytes),
            untrustedSteps: shape.untrustedSteps, trust: RunnerTrust(request.trust), grant: request.grant.hex,
            gpus: shape.gpus.map { RunnerGPUs(count: $0.count, vendor: $0.vendor.map { DeviceVendor($0) }) },
            devices: request.devices)
    }
}

extension RunnerTrust {
    init(_ trust: Trust) {
        self =
            switch trust {
            case .trusted: .trusted
            case .approved: .approved
            case .untrusted: .untrusted
            }
    }
}

extension DeviceVendor {
    init(_ vendor: GPUVendor) {
        self =
            switch vendor {
            case .nvidia: .nvidia
            case .amd: .amd
            case .intel: .intel
            }
    }
}

extension GPUVendor {
    init(_ vendor: DeviceVendor) {
        self =
            switch vendor {
            case .nvidia: .nvidia
            case .amd: .amd
            case .intel: .intel
            }
    }
}

extension Platform {
    init(_ platform: RunnerPlatform) {
        self =
            switch platform {
            case .amd64: .linuxAmd64
            case .arm64: .linuxArm64
            case .riscv64: .linuxRiscv64
            }
    }
}

extension SpawnerEdge.ContainerState {
    init(_ state: ContainerState) {
        self =
            switch state {
            case .created: .created
            case .running: .running
            case .exited: .exited
            }
    }
}
