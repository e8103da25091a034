// Trees that look like a host's /proc, /sys and /dev. No recording of one machine: each file has the form that its
// driver gives it (NVIDIA's README on /proc/driver/nvidia; the kernel's Documentation/gpu/amdgpu and ABI/testing of
// sysfs, with directories of /sys/class linking into /sys/devices; Documentation/admin-guide/binfmt-misc.rst).

import Devices
import Files
import Foundation
import Glibc
import Posix
import SpawnPolicy

/// Device nodes need the capability to make them.
let canMakeNodes: Bool = {
    let path = "/tmp/bh-node-\(UInt64.random(in: 0 ... .max))"
    defer { unlink(path) }
    return mknod(path, S_IFCHR | 0o600, makedev(1, 3)) == 0
}()

/// A macro in C: the low eight bits of the minor number, then the major, then the rest of the minor.
private func makedev(_ major: UInt32, _ minor: UInt32) -> dev_t {
    dev_t(minor & 0xFF) | dev_t(major & 0xFFF) << 8 | dev_t(minor & ~0xFF) << 12
}

final class HostTreeFixture {
    let root: TemporaryDirectory

    init() throws { root = try TemporaryDirectory() }

    func path(_ name: String) -> String { "\(root.path)/\(name)" }

    func file(_ name: String, _ content: String) throws {
        try directory((name as NSString).deletingLastPathComponent)
        try Posix.replaceFile(path(name), with: Array(content.utf8), mode: 0o644)
    }

    func directory(_ name: String) throws {
        try FileManager.default.createDirectory(atPath: path(name), withIntermediateDirectories: true)
    }

    func link(_ name: String, to target: String) throws {
        try directory((name as NSString).deletingLastPathComponent)
        unlink(path(name))
        try Posix.symlink(target, path(name))
    }

    func node(_ name: String, _ major: UInt32, _ minor: UInt32, mode: UInt32 = 0o666, gid: UInt32 = 0) throws {
        try directory((name as NSString).deletingLastPathComponent)
        unlink(path(name))
        guard mknod(path(name), S_IFCHR | mode, makedev(major, minor)) == 0 else {
            throw PosixError.system(call: "mknod", errno: errno)
        }
        try Posix.chmod(path(name), mode)
        try Posix.chown(path(name), uid: 0, gid: gid)
    }

    // MARK: - What drivers write

    func nvidia(_ address: String, _ uuid: String, minor: UInt32, more: String = "") throws {
        try file(
            "proc/driver/nvidia/gpus/\(address)/information",
            """
            Model: \t\t NVIDIA H100 80GB HBM3
            IRQ:   \t\t 10
            GPU UUID: \t \(uuid)
            Video BIOS: \t 96.00.99.00.01
            Bus Type: \t PCIe
            DMA Size: \t 52 bits
            DMA Mask: \t 0xfffffffffffff
            Bus Location: \t \(address)
            Device Minor: \t \(minor)
            GPU Firmware: \t 535.129.03
            GPU Excluded:\t No
            \(more)
            """)
        try node("dev/nvidia\(minor)", 195, minor)
    }

    /// The device's directory.
    @discardableResult
    func render(_ address: String, minor: UInt32, vendor: String, gid: UInt32 = 0, mode: UInt32 = 0o666) throws
        -> String
    {
        let device = "sys/devices/pci0000:00/\(address)"
        let node = "renderD\(minor)"
        try file("\(device)/vendor", "\(vendor)\n")
        let number = vendor.dropFirst(2).uppercased()
        try file("\(device)/uevent", "DRIVER=x\nPCI_CLASS=38000\nPCI_ID=\(number):74A1\nPCI_SLOT_NAME=\(address)\n")
        try file("\(device)/drm/\(node)/dev", "226:\(minor)\n")
        try link("\(device)/drm/\(node)/device", to: "../../../\(address)")
        try link("sys/class/drm/\(node)", to: "../../devices/pci0000:00/\(address)/drm/\(node)")
        try self.node("dev/dri/\(node)", 226, minor, mode: mode, gid: gid)
        return device
    }

    func amd(_ address: String, minor: UInt32, unique: String?, gid: UInt32 = 107, mode: UInt32 = 0o666) throws
        -> String
    {
        let device = try render(address, minor: minor, vendor: "0x1002", gid: gid, mode: mode)
        if let unique { try file("\(device)/unique_id", "\(unique)\n") }
        try file("\(device)/product_name", "AMD Instinct MI300X OAM\n")
        try file("\(device)/mem_info_vram_total", "206141652992\n")
        try file("\(device)/mem_info_vram_used", "297828352\n")
        try file("\(device)/gpu_busy_percent", "42\n")
        try file("sys/devices/virtual/kfd/kfd/dev", "511:0\n")
        try link("sys/class/kfd/kfd", to: "../../devices/virtual/kfd/kfd")
        try node("dev/kfd", 511, 0, gid: gid)
        return device
    }

    func binfmt(_ name: String, flags: String = "POF", state: String = "enabled") throws {
        try file("proc/sys/fs/binfmt_misc/status", "enabled\n")
        let entry =
            "\(state)\ninterpreter /usr/libexec/qemu-binfmt/x-binfmt-P\nflags: \(flags)\noffset 0\n"
            + "magic 7f454c460201010000000000000000000200b700\nmask ffffffffffffff00fffffffffffffffffeffffff\n"
        try file("proc/sys/fs/binfmt_misc/\(name)", entry)
    }

    func read() throws -> HostFindings { try HostFindings.read(root.path) }
}
