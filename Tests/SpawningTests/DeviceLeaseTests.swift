import Devices
import DockerRuntime
import Foundation
import Link
import Posix
import Runtime
import SpawnPolicy
import Testing
import Wire

/// R17: a container has exactly the devices that were leased to it, and a device is in one container.
@Suite final class DeviceLeaseTests {
    private let loop: PollLoop
    private let runtime: FakeRuntime
    private let house: House
    private let runner = Bytes16.random()
    private let other = Bytes16.random()

    init() throws {
        loop = try PollLoop()
        runtime = FakeRuntime(loop)
        house = try House(loop, runtime, site(), inventory: inventory)
    }

    deinit { house.close() }

    private func create(
        _ runner: Bytes16, _ devices: [String], count: UInt8? = nil, vendor: GPUVendor? = nil, in house: House? = nil
    ) throws -> Result<SpawnerEdge.CreateRunner.Reply, Failure> {
        var asked = House.request(runner)
        asked.devices = devices
        asked.shape.gpus = GPUs(count: count ?? UInt8(devices.count), vendor: vendor)
        return try (house ?? self.house).call(asked)
    }

    private func place<Value>(_ result: Result<Value, Failure>) -> String? {
        if case .failure(let failure) = result { failure.place } else { nil }
    }

    // MARK: - What is sent

    private struct Sent: Equatable {
        let nodes: [String]
        let requests: [String]
        let groups: [String]
        let label: String
    }

    private func sent(_ devices: [String], nvidia: NVIDIAPassing = .requests) throws -> Sent {
        var house = site()
        house.nvidia = nvidia
        let gpus = devices.isEmpty ? nil : RunnerGPUs(count: UInt8(devices.count))
        let asked = request(gpus: gpus, devices: devices)
        let body = ContainerSpec(try boundPlan(asked, site: house)).body.encoded
        let sent = try #require(try JSONSerialization.jsonObject(with: Data(body)) as? [String: Any])
        let host = try #require(sent["HostConfig"] as? [String: Any])
        let nodes = try #require(host["Devices"] as? [[String: String]])
        for node in nodes {
            #expect(
                node["PathInContainer"] == node["PathOnHost"] && node["CgroupPermissions"] == "rw" && node.count == 3)
        }
        let requests = try #require(host["DeviceRequests"] as? [[String: Any]])
        return Sent(
            nodes: nodes.compactMap { $0["PathOnHost"] },
            requests: requests.map {
                "\($0["Driver"] ?? "") \($0["DeviceIDs"] ?? "") \($0["Capabilities"] ?? "") \($0["Count"] ?? "")"
            },
            groups: try #require(host["GroupAdd"] as? [String]),
            label: (sent["Labels"] as? [String: String])?["bulkhead.devices"] ?? "none")
    }

    @Test func exactlyTheLeasedOnesAreSent() throws {
        #expect(try sent([]) == Sent(nodes: [], requests: [], groups: [], label: ""))
        #expect(
            try sent([nvidiaTwo])
                == Sent(
                    nodes: [], requests: ["nvidia [\"\(nvidiaTwo)\"] [[\"gpu\"]] 0"], groups: [], label: nvidiaTwo))
        #expect(
            try sent([nvidiaTwo], nvidia: .cdi)
                == Sent(
                    nodes: [], requests: ["cdi [\"nvidia.com/gpu=\(nvidiaTwo)\"] [] 0"], groups: [], label: nvidiaTwo))
        #expect(
            try sent([amdOne])
                == Sent(nodes: ["/dev/dri/renderD128", "/dev/kfd"], requests: [], groups: ["107"], label: amdOne))
        #expect(try sent([intelOne]) == Sent(nodes: ["/dev/dri/renderD130"], requests: [], groups: [], label: intelOne))
        #expect(
            try sent([amdOne, amdTwo])
                == Sent(
                    nodes: ["/dev/dri/renderD128", "/dev/dri/renderD129", "/dev/kfd"], requests: [],
                    groups: ["44", "107"], label: "\(amdTwo),\(amdOne)"))
    }

    @Test func everythingElseIsDenied() throws {
        let denied: [(devices: [String], count: UInt8, vendor: GPUVendor?)] = [
            (["/dev/mem"], 1, nil), (["../sda"], 1, nil), (["/dev/dri/renderD128"], 1, nil), ([amdOne + ","], 1, nil),
            ([amdOne, amdOne], 2, nil), ([amdOne, amdOne], 1, nil), ([amdOne, amdTwo], 1, nil), ([amdOne], 2, nil),
            ([], 1, nil), ([amdOne], 1, .nvidia), ([amdOne, nvidiaOne], 2, .amd), ([amdOne.uppercased()], 1, nil),
        ]
        for (devices, count, vendor) in denied {
            let result = try create(runner, devices, count: count, vendor: vendor)
            #expect(code(result) == .deniedByPolicy && place(result) == "devices", "\(devices) \(count)")
        }
        #expect(place(try create(runner, [], count: 0)) == "shape.gpus.count")
        var asked = House.request(runner)
        asked.devices = [amdOne]
        #expect(place(try house.call(asked)) == "devices")
        #expect(runtime.calls(of: "create").isEmpty)
        _ = try create(runner, [nvidiaOne, amdOne]).get()
        _ = try create(other, [amdTwo], vendor: .amd).get()
    }

    // MARK: - Whose it is

    @Test func aDeviceIsInOneContainer() throws {
        _ = try create(runner, [amdOne, nvidiaOne]).get()
        let second = try create(other, [nvidiaTwo, nvidiaOne])
        #expect(code(second) == .conflict && place(second) == "devices")
        // What was refused holds nothing: neither the free device nor its grant.
        _ = try create(other, [nvidiaTwo]).get()
        // As long as its container is there, even ended.
        runtime.end("bulkhead-test-\(runner.hex)", code: 0)
        #expect(code(try create(.random(), [amdOne])) == .conflict)
        runtime.removeError = .refused(status: 409, "removal is already in progress")
        #expect(code(try house.call(SpawnerEdge.RemoveRunner(runner: runner))) == .engineRefused)
        #expect(code(try create(.random(), [amdOne])) == .conflict)
        runtime.removeError = nil
        _ = try house.call(SpawnerEdge.RemoveRunner(runner: runner)).get()
        _ = try create(.random(), [amdOne]).get()
    }

    @Test func aRetryIsNoSecondHolder() throws {
        _ = try create(runner, [amdOne]).get()
        runtime.creation = .success(.existed)
        _ = try create(runner, [amdOne]).get()
    }

    @Test func ofTwoAtOnceOneIsRefused() throws {
        var answers: [Result<SpawnerEdge.CreateRunner.Reply, Failure>] = []
        for runner in [runner, other] {
            var asked = House.request(runner)
            (asked.devices, asked.shape.gpus) = ([amdOne], GPUs(count: 1, vendor: nil))
            house.scheduler.call(asked) { result, _ in answers.append(result) }
        }
        try loop.run { answers.count == 2 }
        #expect(Set(answers.map(code)) == [nil, .conflict])
    }

    @Test func aStartThatLeftNothingHoldsNone() throws {
        runtime.startError = .refused(status: 500, "OCI runtime")
        #expect(code(try create(runner, [amdOne])) == .engineRefused)
        runtime.startError = nil
        _ = try create(other, [amdOne]).get()
    }

    @Test("after a restart the labels say whose a device is", arguments: [ContainerState.created, .running, .exited])
    func labelsSurviveARestart(_ state: ContainerState) throws {
        let runtime = FakeRuntime(loop)
        let name = "bulkhead-test-\(other.hex)"
        runtime.set(name, state)
        runtime.listed = [
            ListedContainer(
                name: name, state: state, runner: other.hex, grant: other.hex, epoch: 7, devices: [amdOne, nvidiaOne])
        ]
        let house = try House(loop, runtime, site(), inventory: inventory)
        defer { house.close() }
        for device in [amdOne, nvidiaOne] { #expect(code(try create(runner, [device], in: house)) == .conflict) }
        _ = try create(runner, [amdTwo], in: house).get()
        _ = try house.call(SpawnerEdge.RemoveRunner(runner: other)).get()
        _ = try create(.random(), [amdOne], in: house).get()
    }

    // MARK: - The host

    @Test func theHostIsDescribed() throws {
        let host = try house.call(SpawnerEdge.DescribeHost()).get()
        let foreign: Platform = hostPlatform == .amd64 ? .linuxArm64 : .linuxRiscv64
        #expect(host.platforms.first?.native == true && host.platforms.count(where: \.native) == 1)
        #expect(host.platforms.contains(.init(platform: foreign, native: false)))
        #expect(Set(host.platforms.map(\.platform)).count == host.platforms.count)
        #expect(host.devices.map(\.id) == inventory.devices.map(\.id))
        #expect(host.devices.map(\.vendor) == [.intel, .amd, .amd, .nvidia, .nvidia])
        #expect(host.devices[0].memoryBytes == 1 << 34 && host.devices[0].name == "A intel")
    }

    @Test func aPlatformIsTheHostsOwnOrEmulated() throws {
        func create(_ platform: Platform, _ house: House) throws -> Result<SpawnerEdge.CreateRunner.Reply, Failure> {
            var asked = House.request(.random())
            asked.shape.platform = platform
            return try house.call(asked)
        }
        runtime.imageFacts = .success(anImage(architecture: "riscv64"))
        _ = try create(.linuxRiscv64, house).get()
        // The image has to be for it as well.
        let wrong: Platform = hostPlatform == .amd64 ? .linuxAmd64 : .linuxArm64
        #expect(code(try create(wrong, house)) == .imageRefused)
        let plain = try House(loop, runtime, site())
        defer { plain.close() }
        let refused = try create(.linuxRiscv64, plain)
        #expect(code(refused) == .deniedByPolicy && place(refused) == "shape.platform")
        guard case .failure(let failure) = refused else { return }
        #expect(failure.text.contains("linux/\(hostPlatform.rawValue); for linux/riscv64 it has no emulator"))
    }

    /// In a user namespace the host's groups are nobody: what only they may open is open to no job.
    @Test func aClosedNodeIsTold() throws {
        let node = HostDevice.Node(path: "/dev/dri/renderD128", gid: 107, isOpenToAll: false)
        let closed = HostInventory(
            devices: [HostDevice(id: amdOne, vendor: .intel, name: "", memoryBytes: 0, nodes: [node])])
        let house = try House(loop, runtime, site(), inventory: closed)
        let refused = try create(runner, [amdOne], in: house)
        house.close()
        #expect(code(refused) == .deniedByPolicy && place(refused) == "devices")
        // Without user namespaces the group is the host's.
        runtime.hostFacts = .success(
            HostFacts(
                engine: "fake", version: "1", userNamespaces: false, cpus: 2, memoryBytes: 1 << 30,
                platforms: [hostPlatform]))
        var loose = site()
        loose.allowNoUserNamespaces = true
        let other = try House(loop, runtime, loose, inventory: closed)
        _ = try create(runner, [amdOne], in: other).get()
        other.close()
    }

    @Test(.enabled(if: canMakeNodes, "no device nodes can be made here"))
    func whatLeasedDevicesDo() throws {
        let tree = try HostTreeFixture()
        _ = try tree.amd("0000:03:00.0", minor: 128, unique: amdOne)
        _ = try tree.amd("0000:04:00.0", minor: 129, unique: "fedcba9876543210")
        try tree.nvidia("0000:18:00.0", nvidiaOne, minor: 0)
        let found = try tree.read()
        let house = try House(loop, runtime, site(), inventory: found.inventory, gauges: found.gauges)
        defer { house.close() }
        #expect(try house.call(SpawnerEdge.ReadDevices()).get().devices.isEmpty)
        _ = try create(runner, [nvidiaOne, amdOne], in: house).get()
        #expect(
            try house.call(SpawnerEdge.ReadDevices()).get().devices == [
                .init(id: amdOne, busyPercent: 42, memoryUsedBytes: 297_828_352),
                .init(id: nvidiaOne, busyPercent: nil, memoryUsedBytes: nil),
            ])
        _ = try house.call(SpawnerEdge.RemoveRunner(runner: runner)).get()
        #expect(try house.call(SpawnerEdge.ReadDevices()).get().devices.isEmpty)
    }
}
