// NVIDIA's GPUs, as their driver tells of them in /proc.

import CHostTree
import SpawnPolicy

enum NVIDIACards {
    static let place = "proc/driver/nvidia/gpus"
    /// Of /dev/nvidiaN, from the kernel's list of devices.
    private static let major: UInt32 = 195

    /// nil: it is not for use.
    static func device(_ address: String, _ tree: borrowing HostTree) throws(TreeError) -> HostDevice? {
        let fields = try tree.text("\(place)/\(address)/information").fields(":")
        if fields["GPU Excluded"] == "Yes" || fields["Blacklisted"] == "Yes" { return nil }
        guard let id = fields["GPU UUID"], isIdentifier(id) else {
            // The driver writes question marks until the GPU was used once.
            throw .malformed("no UUID: is nvidia-persistenced running?")
        }
        let minor = try (fields["Device Minor"] ?? "").number()
        // The tools that pass it in make the other nodes; without this one it belongs to nobody yet.
        let node = try tree.node("dev/nvidia\(minor)")
        guard node.major == major, UInt64(node.minor) == minor else {
            throw .malformed("/dev/nvidia\(minor) is another")
        }
        return HostDevice(
            id: id, vendor: .nvidia, name: String((fields["Model"] ?? "").prefix(128)), memoryBytes: 0, nodes: [])
    }

    /// `GPU-9221d5d1-b60b-a624-bf14-0a1819cfda3b`
    private static func isIdentifier(_ text: String) -> Bool {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        let isHex: (UInt8) -> Bool = { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
        return parts.first == "GPU" && parts.dropFirst().map(\.utf8.count) == [8, 4, 4, 4, 12]
            && parts.dropFirst().allSatisfy { $0.utf8.allSatisfy(isHex) }
    }
}
