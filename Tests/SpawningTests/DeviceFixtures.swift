// The GPUs of the tests of plans and leases.

import SpawnPolicy

let nvidiaOne = "GPU-11111111-1111-1111-1111-111111111111"
let nvidiaTwo = "GPU-22222222-2222-2222-2222-222222222222"
let amdOne = "0123456789abcdef"
let amdTwo = "0000:04:00.0"
let intelOne = "0000:00:02.0"

private func node(_ path: String, _ gid: UInt32) -> HostDevice.Node {
    HostDevice.Node(path: path, gid: gid, isOpenToAll: true)
}

private func device(_ id: String, _ vendor: DeviceVendor, _ nodes: [HostDevice.Node]) -> HostDevice {
    HostDevice(id: id, vendor: vendor, name: "A \(vendor.rawValue)", memoryBytes: 1 << 34, nodes: nodes)
}

let inventory = HostInventory(
    emulated: [.arm64, .riscv64],
    devices: [
        device(intelOne, .intel, [node("/dev/dri/renderD130", 0)]),
        device(amdTwo, .amd, [node("/dev/dri/renderD129", 44), node("/dev/kfd", 107)]),
        device(amdOne, .amd, [node("/dev/dri/renderD128", 107), node("/dev/kfd", 107)]),
        device(nvidiaOne, .nvidia, []), device(nvidiaTwo, .nvidia, []),
    ])
