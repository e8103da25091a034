// What the host has beside its engine. spawnerd finds it before it confines itself; a request names a device by its id
// alone, and every path and group of a device in a plan comes from here.

/// Who made a GPU: it decides how one is passed in.
package enum DeviceVendor: String, CaseIterable, Sendable {
    case nvidia, amd, intel
}

/// One GPU.
package struct HostDevice: Equatable, Sendable {
    /// A character device that a container needs for it.
    package struct Node: Equatable, Sendable {
        package let path: String
        package let gid: UInt32
        /// Everybody may read and write it: a container without the node's group, too.
        package let isOpenToAll: Bool

        package init(path: String, gid: UInt32, isOpenToAll: Bool) {
            self.path = path
            self.gid = gid
            self.isOpenToAll = isOpenToAll
        }
    }

    /// The vendor's UUID where there is one, else the address on the bus. Letters, digits and `.:-`.
    package let id: String
    package let vendor: DeviceVendor
    package let name: String
    /// 0: the host's files do not tell.
    package let memoryBytes: UInt64
    /// Empty for NVIDIA, whose own tools know them.
    package let nodes: [Node]

    package init(id: String, vendor: DeviceVendor, name: String, memoryBytes: UInt64, nodes: [Node]) {
        self.id = id
        self.vendor = vendor
        self.name = name
        self.memoryBytes = memoryBytes
        self.nodes = nodes
    }
}

package struct HostInventory: Equatable, Sendable {
    /// What the kernel hands to an emulator (binfmt); the native one may be among them.
    package let emulated: [RunnerPlatform]
    /// Sorted by id, none twice.
    package let devices: [HostDevice]

    package init(emulated: [RunnerPlatform] = [], devices: [HostDevice] = []) {
        self.emulated = emulated
        self.devices = devices
    }
}
