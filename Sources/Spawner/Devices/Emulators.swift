// Which foreign programs the kernel starts, as /proc/sys/fs/binfmt_misc says.

import SpawnPolicy

enum Emulators {
    static let place = "proc/sys/fs/binfmt_misc"
    static let names: KeyValuePairs<String, RunnerPlatform> = [
        "qemu-x86_64": .amd64, "qemu-aarch64": .arm64, "qemu-riscv64": .riscv64,
    ]

    /// The kernel takes this kind of program, and holds its emulator open (flag F): without that each container would
    /// have to bring it.
    static func isUsable(_ name: String, _ tree: borrowing HostTree) throws(TreeError) -> Bool {
        guard try tree.optionalText("\(place)/status") == "enabled",
            let lines = try tree.optionalText("\(place)/\(name)")?.split(separator: "\n"), lines.first == "enabled"
        else { return false }
        guard lines.contains(where: { $0.hasPrefix("flags: ") && $0.dropFirst(7).contains("F") }) else {
            throw .malformed("registered without the flag F: containers lack the emulator")
        }
        return true
    }
}
