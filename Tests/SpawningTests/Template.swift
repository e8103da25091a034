// What is sent for a runner, cut into what never changes and the named leaves that follow the request. The pieces come
// from a reference body; `PlanComparisonTests` holds that body against text written by hand.

import DockerRuntime
import SpawnPolicy

/// All that a request can change in what is sent, within one class of requests (profile, untrusted steps, trust).
enum Leaf: Int, CaseIterable, Sendable {
    case argument, imageVariable, epoch, grant, runner, memory, memorySwap, nanoCPUs, processes, sharedMemory
    case grantSource, job, tmp, fileSizeSoft, fileSizeHard
    case deviceLabel, deviceNodes, deviceRequests, deviceGroups

    enum Step: Sendable {
        case key(String), index(Int)
    }

    var path: [Step] {
        switch self {
        case .argument: [.key("Cmd"), .index(0)]
        case .imageVariable: [.key("Env"), .index(4)]
        case .epoch: [.key("Labels"), .key("bulkhead.epoch")]
        case .grant: [.key("Labels"), .key("bulkhead.grant")]
        case .runner: [.key("Labels"), .key("bulkhead.runner")]
        case .memory: Self.host("Memory")
        case .memorySwap: Self.host("MemorySwap")
        case .nanoCPUs: Self.host("NanoCpus")
        case .processes: Self.host("PidsLimit")
        case .sharedMemory: Self.host("ShmSize")
        case .grantSource: Self.host("Mounts") + [.index(1), .key("Source")]
        case .job: Self.host("Tmpfs") + [.key("/job")]
        case .tmp: Self.host("Tmpfs") + [.key("/tmp")]
        case .fileSizeSoft: Self.host("Ulimits") + [.index(1), .key("Soft")]
        case .fileSizeHard: Self.host("Ulimits") + [.index(1), .key("Hard")]
        case .deviceLabel: [.key("Labels"), .key("bulkhead.devices")]
        case .deviceNodes: Self.host("Devices")
        case .deviceRequests: Self.host("DeviceRequests")
        case .deviceGroups: Self.host("GroupAdd")
        }
    }

    private static func host(_ key: String) -> [Step] { [.key("HostConfig"), .key(key)] }

    /// What has to stand there, worked out anew from the request alone.
    func expected(_ request: RunnerRequest) -> String {
        let resources = request.resources
        switch self {
        case .argument, .runner: return "\"\(request.runner)\""
        case .imageVariable: return "\"BULKHEAD_IMAGE=\(request.image)\""
        case .epoch: return "\"\(request.epoch)\""
        case .grant: return "\"\(request.grant)\""
        case .grantSource: return "\"/run/grants/\(request.grant)\""
        case .memory, .memorySwap: return "\(resources.memoryBytes)"
        case .nanoCPUs: return "\(resources.cpuMillis)000000"
        case .processes: return "\(resources.pids)"
        case .fileSizeSoft, .fileSizeHard: return "\(resources.diskBytes)"
        case .deviceLabel, .deviceNodes, .deviceRequests, .deviceGroups: return Self.devices(self, request.devices)
        case .sharedMemory: return "\(Self.pages(resources.diskBytes / 8))"
        case .tmp: return Self.tmpfs(Self.pages(resources.diskBytes / 4), mode: "1777", request)
        case .job:
            let rest = Self.pages(resources.diskBytes / 8) + Self.pages(resources.diskBytes / 4)
            let open = request.profile == .strict && request.untrustedSteps
            return Self.tmpfs(Self.pages(resources.diskBytes) - rest, mode: open ? "1777" : "755", request)
        }
    }

    /// Of each device of the inventory, in its order: the nodes, and the groups that they bring.
    private static let devices: KeyValuePairs<String, (nodes: [String], groups: [Int])> = [
        intelOne: (["/dev/dri/renderD130"], []), amdTwo: (["/dev/dri/renderD129", "/dev/kfd"], [44, 107]),
        amdOne: (["/dev/dri/renderD128", "/dev/kfd"], [107]), nvidiaOne: ([], []), nvidiaTwo: ([], []),
    ]

    private static func devices(_ leaf: Leaf, _ leased: [String]) -> String {
        if leased.isEmpty { return leaf == .deviceLabel ? "\"\"" : "[]" }
        let leased = devices.filter { leased.contains($0.key) }
        switch leaf {
        case .deviceLabel: return "\"\(leased.map(\.key).joined(separator: ","))\""
        case .deviceNodes:
            let nodes = Set(leased.flatMap(\.value.nodes)).sorted().map {
                #"{"CgroupPermissions":"rw","PathInContainer":"\#($0)","PathOnHost":"\#($0)"}"#
            }
            return "[\(nodes.joined(separator: ","))]"
        case .deviceRequests:
            let ids = leased.map(\.key).filter { $0.hasPrefix("GPU-") }.map { "\"\($0)\"" }.joined(separator: ",")
            let rest = #""Driver":"nvidia","Options":{}"#
            return ids.isEmpty ? "[]" : #"[{"Capabilities":[["gpu"]],"Count":0,"DeviceIDs":[\#(ids)],\#(rest)}]"#
        default:
            let groups = Set(leased.flatMap(\.value.groups)).sorted().map { "\"\($0)\"" }
            return "[\(groups.joined(separator: ","))]"
        }
    }

    private static func pages(_ bytes: UInt64) -> UInt64 { bytes & ~4095 }

    private static func tmpfs(_ bytes: UInt64, mode: String, _ request: RunnerRequest) -> String {
        let owner = request.profile == .strict && !request.untrustedSteps ? 1000 : 0
        return "\"rw,exec,nosuid,nodev,size=\(bytes),nr_inodes=\(max(1024, bytes / 4096)),mode=\(mode),"
            + "uid=\(owner),gid=\(owner)\""
    }
}

struct Template: Sendable {
    private let constants: [[UInt8]]
    private let leaves: [Leaf]

    /// `body`: a reference in the same class.
    init(_ body: EngineJSON) {
        var marked = body
        for leaf in Leaf.allCases { marked = Self.replacing(leaf.path[...], in: marked, with: Self.marker(leaf)) }
        var rest = marked.encoded[...]
        var constants: [[UInt8]] = []
        var leaves: [Leaf] = []
        // A marker is "@@NN@@" with its quotes: eight bytes.
        while let start = rest.indices.first(where: { rest[$0...].starts(with: Array("\"@@".utf8)) }) {
            constants.append(Array(rest[..<start]))
            let number = Int(String(decoding: rest[(start + 3)..<(start + 5)], as: UTF8.self)) ?? -1
            leaves.append(Leaf(rawValue: number) ?? .argument)
            rest = rest[(start + 8)...]
        }
        self.constants = constants + [Array(rest)]
        self.leaves = leaves
    }

    /// Each leaf was found, once.
    var isComplete: Bool { leaves.count == Leaf.allCases.count && Set(leaves).count == leaves.count }

    /// The body that this request has to have, byte for byte.
    func filled(for request: RunnerRequest) -> [UInt8] {
        var bytes = constants[0]
        for (leaf, constant) in zip(leaves, constants.dropFirst()) {
            bytes += leaf.expected(request).utf8
            bytes += constant
        }
        return bytes
    }

    private static func marker(_ leaf: Leaf) -> EngineJSON {
        .text("@@\(leaf.rawValue < 10 ? "0" : "")\(leaf.rawValue)@@")
    }

    private static func replacing(_ path: ArraySlice<Leaf.Step>, in value: EngineJSON, with new: EngineJSON)
        -> EngineJSON
    {
        switch (path.first, value) {
        case (.key(let key), .object(var members)):
            guard let member = members[key] else { return value }
            members[key] = replacing(path.dropFirst(), in: member, with: new)
            return .object(members)
        case (.index(let index), .list(var items)) where items.indices.contains(index):
            items[index] = replacing(path.dropFirst(), in: items[index], with: new)
            return .list(items)
        case (nil, _): return new
        default: return value
        }
    }
}
