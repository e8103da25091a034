import DockerRuntime
import Foundation
import Posix
import Runtime
import SpawnPolicy
import Testing

/// What is sent is the golden template, and every leaf of it is compared with what the engine made.
@Suite struct PlanComparisonTests {
    private let loop: PollLoop
    private let simulation = EngineSimulation()
    private let engine: FakeEngine
    private let docker: DockerRuntime

    init() throws {
        loop = try PollLoop()
        engine = try FakeEngine(loop, simulation.script)
        docker = DockerRuntime(loop: loop, path: engine.path)
    }

    private func create(_ plan: BoundPlan) throws {
        let made: Result<Creation, RuntimeError> = try loop.answer { docker.create(plan, $0) }
        #expect(try made.get() == .made(id: "c0ffee"))
    }

    private func verify(_ plan: BoundPlan) throws -> Result<ContainerStatus, RuntimeError> {
        try loop.answer { docker.verify("c0ffee", against: plan, $0) }
    }

    @Test(arguments: RunnerProfile.allCases)
    func theBodyIsTheGoldenOne(_ profile: RunnerProfile) throws {
        try create(try boundPlan(request(profile: profile), image: anImage(environment: ["LD_PRELOAD"])))
        #expect(simulation.createBody.count < 64 * 1024)
        let sent = try JSONSerialization.jsonObject(with: Data(simulation.createBody))
        let filter = String(decoding: try JSONEncoder().encode("seccomp=" + JobSeccomp.json(profile)), as: UTF8.self)
        let golden = (profile == .strict ? goldenStrict : goldenBuild)
            .replacingOccurrences(of: "\"SECCOMP\"", with: filter)
            .replacingOccurrences(of: "\n", with: "")
        let expected = try JSONSerialization.jsonObject(with: Data(golden.utf8))
        #expect(sent as? NSDictionary == expected as? NSDictionary)
    }

    /// The id of a container that is gone can be the name of another one.
    @Test(arguments: ["c0ffeec0ffee", "", "../x", "c0ffee\n", nil])
    func anAccountOfAnotherContainerIsNone(_ id: String?) throws {
        let plan = try boundPlan()
        try create(plan)
        simulation.tamper = { $0["Id"] = id }
        let expected = RuntimeError.garbled("an answer that is not the expected JSON")
        #expect(try verify(plan) == .failure(id == "c0ffeec0ffee" ? .noSuchContainer : expected))
        simulation.tamper = { _ in }
        #expect(try verify(plan).get().id == "c0ffee")
    }

    @Test func anHonestAccountPasses() throws {
        let plan = try boundPlan()
        try create(plan)
        #expect(try verify(plan).get().state == .created)
    }

    /// Nothing that an engine leaves out or writes as null is a difference, if nothing was planned there.
    @Test func engineMayLeaveOutWhatIsNothing() throws {
        let plan = try boundPlan()
        try create(plan)
        simulation.tamper = { account in
            guard var host = account["HostConfig"] as? [String: Any] else { return }
            for (key, value) in host where (value as? [Any])?.isEmpty == true { host[key] = NSNull() }
            host["Privileged"] = nil
            account["HostConfig"] = host
        }
        #expect(try verify(plan).get().state == .created)
    }

    @Test(arguments: RunnerProfile.allCases)
    func everyLeafThatDiffersIsFound(_ profile: RunnerProfile) throws {
        let asked = request(profile: profile, gpus: RunnerGPUs(count: 2), devices: [amdTwo, nvidiaOne])
        let plan = try boundPlan(asked, image: anImage(environment: ["LD_PRELOAD"]))
        try create(plan)
        let account = try #require(simulation.inspection)
        var changed = 0
        for leaf in EngineSimulation.leaves(account) {
            // Id and State are not planned; Mode of a mount repeats RW; the epoch is that of whoever made it.
            if case .key("Id")? = leaf.path.first { continue }
            if case .key("State")? = leaf.path.first { continue }
            if case .key("Mode")? = leaf.path.last { continue }
            if case .key(SpawnPolicy.epochLabel)? = leaf.path.last { continue }
            let other = Self.different(leaf.value)
            simulation.tamper = { account in
                let changed = EngineSimulation.replacing(leaf.path[...], in: account, with: other)
                account = changed as? [String: Any] ?? [:]
            }
            let result = try verify(plan)
            guard case .failure(.mismatch) = result else {
                Issue.record("\(leaf.path) was changed to \(other) and \(result) came out")
                continue
            }
            changed += 1
        }
        #expect(changed > 100)
    }

    private static func different(_ value: Any) -> Any {
        switch value {
        case let text as String: return text + "x"
        case let number as NSNumber:
            if String(cString: number.objCType) == "c" { return !number.boolValue }
            return number.intValue + 1
        case is [Any]: return ["x"]
        default: return ["x": "y"]
        }
    }

    /// What an engine could add of its own accord.
    enum Addition: String, CaseIterable {
        case tmpfs = "HostConfig.Tmpfs"
        case label = "Config.Labels"
        case volume = "Config.Volumes"
        case mount = "Mounts"
        case variable = "Config.Env"
        case unmasked = "HostConfig.MaskedPaths"
        case device = "HostConfig.Devices"
        case request = "HostConfig.DeviceRequests"
        case group = "HostConfig.GroupAdd"

        func apply(to account: inout [String: Any]) {
            switch self {
            case .tmpfs: change(&account) { ($0 as? [String: Any])?.merging(["/evil": "rw"]) { a, _ in a } }
            case .label: change(&account) { ($0 as? [String: Any])?.merging(["bulkhead.extra": "x"]) { a, _ in a } }
            case .volume: change(&account) { _ in ["/proc": [String: String]()] }
            case .mount: account["Mounts"] = (account["Mounts"] as? [Any]).map { $0 + $0 }
            case .variable: change(&account) { ($0 as? [String]).map { $0 + ["LD_PRELOAD=/evil.so"] } }
            case .unmasked: change(&account) { _ in [String]() }
            case .device, .request: change(&account) { ($0 as? [Any]).map { $0 + [["PathOnHost": "/dev/sda"]] } }
            case .group: change(&account) { ($0 as? [String]).map { $0 + ["6"] } }
            }
        }

        private func change(_ account: inout [String: Any], _ body: (Any?) -> Any?) {
            let path = rawValue.split(separator: ".").map(String.init)
            guard var section = account[path[0]] as? [String: Any] else { return }
            section[path[1]] = body(section[path[1]])
            account[path[0]] = section
        }
    }

    @Test(arguments: Addition.allCases)
    func additionsAreFound(_ addition: Addition) throws {
        let plan = try boundPlan()
        try create(plan)
        simulation.tamper = { addition.apply(to: &$0) }
        #expect(try verify(plan) == .failure(.mismatch(field: addition.rawValue)))
    }

    /// What an engine adds of itself where the kernel has AppArmor is a wall more; "unconfined" is one less.
    @Test(arguments: [("docker-default", true), ("containers-default-0.50.1", true), ("unconfined", false)])
    func profilesOfTheEnginesOwn(_ profile: String, _ good: Bool) throws {
        let plan = try boundPlan()
        try create(plan)
        simulation.tamper = { $0["AppArmorProfile"] = profile }
        let result = try verify(plan)
        let agreed = (try? result.get()) != nil
        #expect(agreed == good)
        if !good { #expect(result == .failure(.mismatch(field: "AppArmorProfile"))) }
    }

    /// An image's own labels come along and mean nothing.
    @Test func foreignLabelsAreNobodysBusiness() throws {
        let plan = try boundPlan()
        try create(plan)
        simulation.tamper = { account in
            guard var config = account["Config"] as? [String: Any], var labels = config["Labels"] as? [String: Any]
            else { return }
            labels["maintainer"] = "x"
            config["Labels"] = labels
            account["Config"] = config
        }
        #expect(try verify(plan).get().state == .created)
    }
}
