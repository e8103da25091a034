import Devices
import Foundation
import Glibc
import Posix
import SpawnPolicy
import Testing

/// R17: what spawnerd finds on a host, and what it does with a tree that lies.
@Suite(.enabled(if: canMakeNodes, "no device nodes can be made here"))
struct HostFindingsTests {
    private let tree: HostTreeFixture
    private static let uuid = "GPU-9221d5d1-b60b-a624-bf14-0a1819cfda3b"
    private static let other = "GPU-0221d5d1-b60b-a624-bf14-0a1819cfda3b"

    init() throws { tree = try HostTreeFixture() }

    private func ids() throws -> [String] { try tree.read().inventory.devices.map(\.id) }

    /// The places of what could not be used, below `sys`, `proc` or by its id.
    private func problems() throws -> [String] { try tree.read().problems.map(\.place) }

    // MARK: - Three vendors

    @Test func anEmptyHostHasNothing() throws {
        let found = try tree.read()
        #expect(found.inventory == HostInventory() && found.problems.isEmpty && found.gauges.descriptors.isEmpty)
        #expect(throws: TreeError.missing) { try HostFindings.read(tree.path("nowhere")) }
    }

    @Test func nvidiasAreFoundInProc() throws {
        try tree.nvidia("0000:62:00.0", Self.uuid, minor: 5)
        try tree.nvidia("0000:18:00.0", Self.other, minor: 0)
        let found = try tree.read()
        #expect(found.problems.isEmpty && found.inventory.devices.map(\.id) == [Self.other, Self.uuid])
        let device = try #require(found.inventory.devices.first)
        #expect(device.vendor == .nvidia && device.name == "NVIDIA H100 80GB HBM3")
        #expect(device.memoryBytes == 0 && device.nodes.isEmpty)
        #expect(found.gauges.read(Self.uuid) == .init(busyPercent: nil, memoryUsedBytes: nil))
    }

    @Test func amdsAreFoundWithTheirNodesAndGroups() throws {
        _ = try tree.amd("0000:03:00.0", minor: 128, unique: "1f3d5b79a2c4e608")
        let plain = try tree.amd("0000:04:00.0", minor: 129, unique: nil, gid: 44, mode: 0o660)
        try tree.file("\(plain)/product_name", "\n")
        let found = try tree.read()
        #expect(found.problems.isEmpty)
        let devices = found.inventory.devices
        #expect(devices.map(\.id) == ["0000:04:00.0", "1f3d5b79a2c4e608"])
        #expect(devices.map(\.name) == ["AMD 1002:74A1", "AMD Instinct MI300X OAM"])
        #expect(devices[1].memoryBytes == 206_141_652_992 && devices[1].vendor == .amd)
        let kfd = HostDevice.Node(path: "/dev/kfd", gid: 44, isOpenToAll: true)
        #expect(devices[0].nodes == [.init(path: "/dev/dri/renderD129", gid: 44, isOpenToAll: false), kfd])
        #expect(devices[1].nodes == [.init(path: "/dev/dri/renderD128", gid: 107, isOpenToAll: true), kfd])
    }

    @Test func intelsAreFoundByTheirAddress() throws {
        let device = try tree.render("0000:00:02.0", minor: 128, vendor: "0x8086")
        try tree.file("\(device)/tile0/physical_vram_size_bytes", "12884901888\n")
        // Another vendor's render node is nobody's business.
        try tree.render("0000:00:03.0", minor: 129, vendor: "0x1af4")
        let found = try tree.read()
        #expect(found.problems.isEmpty && found.inventory.devices.map(\.id) == ["0000:00:02.0"])
        let intel = found.inventory.devices[0]
        #expect(intel.vendor == .intel && intel.name == "Intel 8086:74A1" && intel.memoryBytes == 12_884_901_888)
        #expect(intel.nodes == [.init(path: "/dev/dri/renderD128", gid: 0, isOpenToAll: true)])
    }

    @Test func gaugesAreReadAnew() throws {
        let device = try tree.amd("0000:03:00.0", minor: 128, unique: "1f3d5b79a2c4e608")
        let gauges = try tree.read().gauges
        #expect(gauges.descriptors.count == 2)
        #expect(gauges.read("1f3d5b79a2c4e608") == .init(busyPercent: 42, memoryUsedBytes: 297_828_352))
        // In its place: the kernel's files stay the same file.
        for (text, busy) in [("7\n", UInt8(7)), ("101\n", nil), ("-1\n", nil), ("", nil), ("9e9\n", nil)] {
            try #require(FileHandle(forWritingAtPath: tree.path("\(device)/gpu_busy_percent"))).closing {
                try $0.truncate(atOffset: 0)
                try $0.write(contentsOf: Data(text.utf8))
            }
            #expect(gauges.read("1f3d5b79a2c4e608").busyPercent == busy, "\(text)")
        }
    }

    // MARK: - Trees that lie

    @Test func oneBadDeviceHidesNoOther() throws {
        try tree.nvidia("0000:18:00.0", Self.uuid, minor: 0)
        try tree.nvidia("0000:19:00.0", "GPU-????????-????-????-????-????????????", minor: 1)
        try tree.nvidia("0000:1a:00.0", "GPU-../../../../../../../dev/sda,a,b", minor: 2)
        try tree.nvidia("0000:1b:00.0", Self.other, minor: 3, more: "GPU UUID: \t \(Self.uuid)")
        try tree.file("proc/driver/nvidia/gpus/0000:1c:00.0/information", "\u{0}\u{1}\n")
        try tree.directory("proc/driver/nvidia/gpus/0000:1d:00.0/information")
        #expect(try ids() == [Self.uuid])
        #expect(try problems().map { String($0.suffix(7)) } == ["19:00.0", "1a:00.0", "1b:00.0", "1c:00.0", "1d:00.0"])
    }

    @Test func whatIsExcludedIsLeftOutInSilence() throws {
        try tree.nvidia("0000:18:00.0", Self.uuid, minor: 0)
        try tree.file(
            "proc/driver/nvidia/gpus/0000:18:00.0/information",
            "GPU UUID: \(Self.uuid)\nDevice Minor: 0\nGPU Excluded:\t Yes\n")
        #expect(try ids().isEmpty && problems().isEmpty)
    }

    @Test func twoOfOneIdAreNone() throws {
        try tree.nvidia("0000:18:00.0", Self.uuid, minor: 0)
        try tree.nvidia("0000:19:00.0", Self.uuid, minor: 1)
        try tree.nvidia("0000:1a:00.0", Self.other, minor: 2)
        #expect(try ids() == [Self.other] && problems() == [Self.uuid])
    }

    /// A node has to be the device that the driver speaks of: a name is nothing.
    @Test func aNodeIsWhatItsNumbersSay() throws {
        _ = try tree.amd("0000:03:00.0", minor: 128, unique: "1f3d5b79a2c4e608")
        #expect(try ids().count == 1)
        try tree.node("dev/dri/renderD128", 8, 0)  // a disk's numbers
        #expect(try ids().isEmpty && problems().count == 1)
        try tree.node("dev/dri/renderD128", 226, 128)
        try tree.node("dev/kfd", 1, 1)  // /dev/mem
        #expect(try ids().isEmpty)
        try tree.node("dev/kfd", 511, 0)
        #expect(try ids().count == 1)
        try tree.link("dev/dri/renderD128", to: "../kfd")
        #expect(try ids().isEmpty)
        try tree.file("dev/dri/renderD128", "a file")
        #expect(try ids().isEmpty)
        try tree.nvidia("0000:18:00.0", Self.uuid, minor: 3)
        try tree.node("dev/nvidia3", 195, 4)
        #expect(try ids().isEmpty && problems().count == 2)
    }

    @Test func linksDoNotLeadOut() throws {
        let outside = try HostTreeFixture()
        try outside.nvidia("0000:18:00.0", Self.uuid, minor: 0)
        let secret = "/proc/driver/nvidia/gpus/0000:18:00.0"
        try tree.node("dev/nvidia0", 195, 0)
        // All of it, one directory, one file; by the root and by climbing.
        try tree.link("proc/driver/nvidia/gpus", to: "\(outside.root.path)/proc/driver/nvidia/gpus")
        #expect(try ids().isEmpty && problems() == ["proc/driver/nvidia/gpus"])
        unlink(tree.path("proc/driver/nvidia/gpus"))
        try tree.link("proc/driver/nvidia/gpus/a", to: outside.root.path + secret)
        try tree.link("proc/driver/nvidia/gpus/b/information", to: outside.root.path + secret + "/information")
        let climb = String(repeating: "../", count: 40) + outside.root.path.dropFirst() + secret
        try tree.link("proc/driver/nvidia/gpus/c", to: climb)
        try tree.link("proc/driver/nvidia/gpus/d/information", to: "information")
        let found = try tree.read()
        #expect(found.inventory.devices.isEmpty)
        #expect(found.problems.map(\.error) == [.outside, .outside, .outside, .outside])
        // The control: a link that stays inside is the kernel's usual way.
        try tree.nvidia("x/0000:18:00.0", Self.uuid, minor: 0)
        try tree.link("proc/driver/nvidia/gpus/e", to: "x/0000:18:00.0")
        #expect(try ids() == [Self.uuid])
    }

    @Test func sizesAreBounded() throws {
        try tree.nvidia("0000:18:00.0", Self.uuid, minor: 0, more: String(repeating: "x", count: HostTree.fileLimit))
        #expect(try tree.read().problems.map(\.error) == [.tooLarge])
        try tree.directory("sys/class/drm")
        for number in 0..<300 {
            try tree.directory("sys/class/drm/" + String(repeating: "n", count: 240) + "\(number)")
        }
        #expect(try tree.read().problems.map(\.error) == [.tooLarge, .tooLarge])
        // A pipe in a file's place keeps nobody waiting.
        let pipe = "proc/driver/nvidia/gpus/0000:18:00.0/information"
        unlink(tree.path(pipe))
        #expect(mkfifo(tree.path(pipe), 0o644) == 0)
        guard case .malformed? = try tree.read().problems.first?.error else { throw TimedOut() }
    }

    @Test func aMessageCarriesSixtyFour() throws {
        for number in UInt32(0)..<66 {
            let digits = String(100 + number)
            try tree.nvidia("0000:\(digits):00.0", "GPU-9221d5d1-b60b-a624-bf14-0a1819cfd\(digits)", minor: number)
        }
        #expect(try ids().count == 64 && problems() == ["more than 64 devices"])
    }

    @Test(arguments: ["", "-1", "1_000", "0x10", " 5 5", "99999999999999999999999", "१"])
    func numbersAreDigits(_ text: String) throws {
        let device = try tree.amd("0000:03:00.0", minor: 128, unique: "1f3d5b79a2c4e608")
        try tree.file("\(device)/mem_info_vram_total", text)
        #expect(try ids().isEmpty && problems().count == 1)
    }

    @Test(arguments: ["1f3d5b79a2c4e6080", "a,b", "../x", "1f3d\n5b79"])
    func idsAreDigits(_ text: String) throws {
        _ = try tree.amd("0000:03:00.0", minor: 128, unique: text)
        #expect(try ids().isEmpty && problems().count == 1)
        let device = try tree.amd("0000:03:00.0", minor: 128, unique: "0")
        try tree.file("\(device)/uevent", "PCI_SLOT_NAME=\(text)\n")
        #expect(try ids().isEmpty && problems().count == 1)
    }

    // MARK: - Emulators

    @Test func emulatorsNeedToBeHeldByTheKernel() throws {
        #expect(try tree.read().inventory.emulated.isEmpty)
        try tree.binfmt("qemu-riscv64")
        try tree.binfmt("qemu-aarch64", flags: "F")
        #expect(try tree.read().inventory.emulated == [.arm64, .riscv64])
        try tree.binfmt("qemu-aarch64", flags: "POC")
        #expect(try tree.read().inventory.emulated == [.riscv64])
        #expect(try problems() == ["proc/sys/fs/binfmt_misc/qemu-aarch64"])
        try tree.binfmt("qemu-aarch64", state: "disabled")
        #expect(try tree.read().inventory.emulated == [.riscv64] && problems().isEmpty)
        try tree.file("proc/sys/fs/binfmt_misc/status", "disabled\n")
        #expect(try tree.read().inventory.emulated.isEmpty && problems().isEmpty)
    }
}

extension FileHandle {
    fileprivate func closing(_ body: (FileHandle) throws -> Void) throws {
        try body(self)
        try close()
    }
}
