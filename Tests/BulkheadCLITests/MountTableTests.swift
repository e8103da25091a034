// Where files live in memory: grants must not reach a disk.

import BulkheadCLI
import Testing

@Suite struct MountTableTests {
    private let table = MountTable(
        """
        22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
        23 22 0:21 / /run rw,nosuid shared:5 - tmpfs tmpfs rw,size=1g
        24 23 0:40 / /run/a\\040b rw master:2 propagate_from:1 - ext4 /dev/sdb rw
        25 22 0:41 / /srv rw - tmpfs one rw
        26 25 8:2 / /srv rw - ext4 /dev/sdc rw
        nonsense
        """)

    @Test(arguments: [
        ("/run", "tmpfs"), ("/run/user/7", "tmpfs"), ("/running", "ext4"), ("/", "ext4"), ("/var/lib", "ext4"),
        ("/run/a b", "ext4"), ("/run/a b/c", "ext4"), ("/srv/x", "ext4"),
    ]) func theNearestMountCounts(_ path: String, _ kind: String) {
        #expect(table.kind(of: path) == kind)
    }

    @Test func theKernelsTableIsRead() {
        #expect(MountTable.current?.kind(of: "/proc/self/fd") == "proc")
    }

    @Test func nothingIsKnownOfNothing() {
        #expect(MountTable("").kind(of: "/run") == nil)
    }
}
