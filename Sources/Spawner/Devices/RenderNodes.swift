// AMD's and Intel's GPUs, as the kernel's graphics drivers tell of them in /sys/class/drm.

import CHostTree
import SpawnPolicy

enum RenderNodes {
    static let place = "sys/class/drm"

    /// `renderD128`
    private static func isName(_ name: String) -> Bool {
        let digits = name.dropFirst(7)
        return name.hasPrefix("renderD") && (1...3).contains(digits.utf8.count)
            && digits.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }

    /// nil: another vendor's, or on no bus.
    static func device(_ name: String, _ tree: borrowing HostTree) throws(TreeError) -> HostDevice? {
        guard isName(name) else { return nil }
        let directory = "\(place)/\(name)/device"
        let vendor: DeviceVendor
        switch try tree.optionalText("\(directory)/vendor") {
        case "0x1002": vendor = .amd
        case "0x8086": vendor = .intel
        default: return nil
        }
        let event = try tree.text("\(directory)/uevent").fields("=")
        guard let address = event["PCI_SLOT_NAME"], isAddress(address) else { throw .malformed("no address") }
        let numbers = event["PCI_ID"].map { " \($0.prefix(16))" } ?? ""
        var nodes = [try node("\(place)/\(name)/dev", "dev/dri/\(name)", tree)]
        switch vendor {
        case .intel, .nvidia:
            // Of the two drivers only xe tells.
            let memory = try tree.optionalText("\(directory)/tile0/physical_vram_size_bytes")?.number() ?? 0
            return HostDevice(
                id: address, vendor: .intel, name: "Intel\(numbers)", memoryBytes: memory, nodes: nodes)
        case .amd:
            nodes.append(try node("sys/class/kfd/kfd/dev", "dev/kfd", tree))
            let product = try tree.optionalText("\(directory)/product_name")?.split(separator: "\n").first ?? ""
            let memory = try tree.optionalText("\(directory)/mem_info_vram_total")?.number() ?? 0
            return HostDevice(
                id: try uniqueID(directory, tree) ?? address, vendor: .amd,
                name: product.isEmpty ? "AMD\(numbers)" : String(product.prefix(128)), memoryBytes: memory, nodes: nodes
            )
        }
    }

    /// The burnt-in number, 16 digits; smaller GPUs have none, or zero.
    private static func uniqueID(_ directory: String, _ tree: borrowing HostTree) throws(TreeError) -> String? {
        guard let text = try tree.optionalText("\(directory)/unique_id"), !text.isEmpty else { return nil }
        guard text.utf8.count <= 16 else { throw .malformed("unique_id is too long") }
        return try text.number(16) == 0 ? nil : text
    }

    /// The node in /dev, if it is the device that /sys says it is.
    private static func node(_ numbers: String, _ path: String, _ tree: borrowing HostTree) throws(TreeError)
        -> HostDevice.Node
    {
        let node = try tree.node(path)
        guard try tree.text(numbers) == "\(node.major):\(node.minor)" else { throw .malformed("/\(path) is another") }
        return HostDevice.Node(path: "/\(path)", gid: node.gid, isOpenToAll: node.mode & 0o6 == 0o6)
    }

    /// `0000:03:00.0`
    private static func isAddress(_ text: String) -> Bool {
        let isPart: (UInt8) -> Bool = { byte in
            (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte | 0x20) || byte == 0x3A || byte == 0x2E
        }
        return (7...16).contains(text.utf8.count) && text.utf8.allSatisfy(isPart)
    }
}
