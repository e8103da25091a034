// A plan and the machine that it is for: what only the engine and the host's files can tell.

import Runtime
import SpawnPolicy
import Wire

extension RunnerPlan {
    /// Why this machine cannot run it, or nil.
    func denial(on host: HostFacts, _ inventory: HostInventory) -> Denial? {
        // In 64 bits: the number of CPUs is the engine's word, and no word of a peer may end this process.
        guard UInt64(cpuMillis) <= UInt64(host.cpus) * 1000, memoryBytes <= host.memoryBytes else {
            let limits = "\(host.cpus) CPUs and \(host.memoryBytes >> 20) MiB of memory"
            return Denial(.policy, "shape.resources", "this machine has \(limits)")
        }
        let platforms = host.platforms + inventory.emulated
        guard platforms.contains(platform) else {
            let known = platforms.map { "linux/\($0.rawValue)" }.joined(separator: ", ")
            return Denial(
                .policy, "shape.platform",
                "this machine runs \(known); for linux/\(platform.rawValue) it has no emulator (binfmt, flag F)")
        }
        // The groups of the host do not exist in a user namespace: only what is open to all is open there.
        if host.userNamespaces, let node = devices.nodes.first(where: { !$0.isOpenToAll }) {
            return Denial(
                .policy, "devices", "\(node.path) is not open to all (mode 0666), so no user namespace can use it")
        }
        return nil
    }
}

extension HostFacts {
    /// The host's own first.
    func supported(_ inventory: HostInventory) -> [SpawnerEdge.PlatformSupport] {
        platforms.map { .init(platform: Platform($0), native: true) }
            + inventory.emulated.filter { !platforms.contains($0) }.map { .init(platform: Platform($0), native: false) }
    }
}

extension HostDevice {
    var wire: SpawnerEdge.Device {
        .init(id: id, vendor: GPUVendor(vendor), name: name, memoryBytes: memoryBytes)
    }
}
