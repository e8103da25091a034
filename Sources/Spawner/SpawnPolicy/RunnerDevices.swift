// The devices of one container: exactly those that were leased to it, or a denial.

/// Part of a plan. Nothing of it was in the request but the ids.
package struct RunnerDevices: Equatable, Sendable {
    /// Character devices of the host, for reading and writing, under the same path. Sorted by path.
    package let nodes: [HostDevice.Node]
    /// Groups that may use the nodes, sorted. Not root's.
    package let groups: [UInt32]
    /// Devices that the engine passes in by name, or nil.
    package let request: Request?

    package struct Request: Equatable, Sendable {
        package let driver: String
        package let ids: [String]
        package let capabilities: [String]
    }

    /// `devices`: sorted by id.
    init(_ devices: [HostDevice], nvidia: NVIDIAPassing) {
        let nodes = devices.flatMap(\.nodes).sorted { $0.path < $1.path }
        // /dev/kfd is every AMD GPU's.
        self.nodes = nodes.indices.filter { $0 == 0 || nodes[$0].path != nodes[$0 - 1].path }.map { nodes[$0] }
        groups = Set(nodes.map(\.gid)).subtracting([0]).sorted()
        let ids = devices.filter { $0.vendor == .nvidia }.map(\.id)
        request =
            if ids.isEmpty {
                nil
            } else {
                switch nvidia {
                case .requests: Request(driver: "nvidia", ids: ids, capabilities: ["gpu"])
                case .cdi: Request(driver: "cdi", ids: ids.map { "nvidia.com/gpu=\($0)" }, capabilities: [])
                }
            }
    }
}

extension SpawnPolicy {
    /// What was leased, in the inventory's own words; sorted by id.
    static func devices(of request: RunnerRequest, in inventory: HostInventory) -> Result<[HostDevice], Denial> {
        func refuse(_ place: String, _ text: String) -> Result<[HostDevice], Denial> {
            .failure(Denial(.policy, place, text))
        }
        guard let asked = request.gpus else {
            return request.devices.isEmpty ? .success([]) : refuse("devices", "devices for a runner without gpus")
        }
        if asked.count == 0 { return refuse("shape.gpus.count", "no GPU is asked for") }
        if request.devices.count != asked.count {
            return refuse("devices", "\(request.devices.count) devices for \(asked.count) GPUs")
        }
        if Set(request.devices).count != asked.count { return refuse("devices", "a device comes twice") }
        let found = inventory.devices.filter { request.devices.contains($0.id) }
        if found.count != asked.count { return refuse("devices", "this host has no such device") }
        if let vendor = asked.vendor, found.contains(where: { $0.vendor != vendor }) {
            return refuse("devices", "a device is not of \(vendor.rawValue)")
        }
        return .success(found)
    }
}
