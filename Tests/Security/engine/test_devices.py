"""R17 and platforms at spawnerd's edge: the devices that a container really has, and foreign programs in it.

The GPUs are made up: two devices that behave as /dev/null does, with the names and the entries in a tree of /sys that two GPUs would
have. What a driver does is not shown here; which nodes a container gets and can open, is.
"""

import os
import pathlib
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest

from spawnerd import ROOT, Refused, Spawnerd, engine, needs_engine
from test_inspect import DEVIATIONS, GPU_DEVIATIONS, cis

sys.path.insert(0, str(ROOT / "Tests/Engine"))
from emulation import emulators  # noqa: E402

NODES = {"0000:0a:00.0": "renderD250", "0000:0b:00.0": "renderD251"}
FIRST, SECOND = NODES
LOOK = """
for node in /dev/dri/*; do echo "has $node"; done
for node in renderD250 renderD251; do echo x 2>/dev/null >/dev/dri/$node && echo "wrote $node"; done
echo "groups $(id -G)"
"""


def graphics(tree, group=0, mode=0o666):
    """Two of Intel's, with nodes in the tree and in the host's own /dev."""
    for address, node in NODES.items():
        device = tree / f"sys/devices/pci0000:00/{address}"
        (device / f"drm/{node}").mkdir(parents=True)
        (device / "vendor").write_text("0x8086\n")
        (device / "uevent").write_text(f"PCI_ID=8086:56A0\nPCI_SLOT_NAME={address}\n")
        (device / f"drm/{node}/dev").write_text("1:3\n")
        (device / f"drm/{node}/device").symlink_to(f"../../../{address}")
        (tree / "sys/class/drm").mkdir(parents=True, exist_ok=True)
        (tree / f"sys/class/drm/{node}").symlink_to(f"../../devices/pci0000:00/{address}/drm/{node}")
        for place in (tree / "dev/dri", pathlib.Path("/dev/dri")):
            place.mkdir(parents=True, exist_ok=True)
            make_node(place / node, group, mode)


def make_node(path, group, mode):
    path.unlink(missing_ok=True)
    os.mknod(path, stat.S_IFCHR | mode, os.makedev(1, 3))
    os.chmod(path, mode)
    os.chown(path, 0, group)


@needs_engine
class Devices(unittest.TestCase):
    def setUp(self):
        self.tree = pathlib.Path(tempfile.mkdtemp(prefix="bh-tree-"))
        self.tree.chmod(0o755)
        self.addCleanup(shutil.rmtree, self.tree)
        if not os.path.exists("/dev/dri"):
            self.addCleanup(os.rmdir, "/dev/dri")
        for node in NODES.values():
            self.addCleanup(os.unlink, f"/dev/dri/{node}")
        graphics(self.tree)

    def spawnerd(self, script=LOOK):
        return Spawnerd(script, "--host-tree", self.tree)

    def test_a_container_has_the_leased_one(self):
        with self.spawnerd() as house:
            self.assertEqual(house.describe()[1], [FIRST, SECOND])
            self.assertEqual(house.run(devices=[SECOND]).splitlines()[:2], ["has /dev/dri/renderD251", "wrote renderD251"])
            both = house.run(devices=[SECOND, FIRST])
            self.assertEqual(both.count("has /dev/dri/"), 2)
            self.assertEqual(both.count("wrote "), 2)
            self.assertNotIn("renderD", house.run().replace("has /dev/dri/*", ""))

    def test_what_the_engine_says(self):
        with self.spawnerd() as house:
            runner = house.create(devices=[FIRST])
            host = runner.inspect()["HostConfig"]
            self.assertEqual(host["Devices"], [{"PathOnHost": "/dev/dri/renderD250", "PathInContainer": "/dev/dri/renderD250",
                                                "CgroupPermissions": "rw"}])
            self.assertEqual(runner.inspect()["Config"]["Labels"]["bulkhead.devices"], FIRST)
            self.assertEqual(cis(runner.inspect(), engine("GET", "/info")[1]), set(DEVIATIONS | GPU_DEVIATIONS))
            runner.output()
            runner.remove()

    def test_nvidia_is_asked_of_the_engine(self):
        """This engine has no NVIDIA runtime. That it says so, and no field differs, shows that the request came through as planned."""
        information = self.tree / "proc/driver/nvidia/gpus/0000:62:00.0/information"
        information.parent.mkdir(parents=True)
        uuid = "GPU-9221d5d1-b60b-a624-bf14-0a1819cfda3b"
        information.write_text(f"Model: \t\t NVIDIA H100\nGPU UUID: \t {uuid}\nDevice Minor: \t 5\n")
        os.mknod(self.tree / "dev/nvidia5", stat.S_IFCHR | 0o666, os.makedev(195, 5))
        with self.spawnerd() as house:
            self.assertEqual(house.describe()[1], [FIRST, SECOND, uuid])
            with self.assertRaisesRegex(Refused, "engine_refused.*could not select device driver"):
                house.create(devices=[uuid])
            self.assertEqual(house.containers(), [])

    def test_a_device_is_in_one_container_and_labels_remember(self):
        with self.spawnerd("while read -r line; do exit 0; done") as house:
            runner = house.create(devices=[FIRST])
            with self.assertRaisesRegex(Refused, "conflict .devices"):
                house.create(devices=[FIRST])
            house.restart()
            with self.assertRaisesRegex(Refused, "conflict .devices"):
                house.create(devices=[SECOND, FIRST])
            runner.remove()
            house.create(devices=[SECOND, FIRST]).remove()

    def test_paths_and_strangers_are_denied(self):
        with self.spawnerd() as house:
            for device in ["/dev/dri/renderD250", "renderD250", "/dev/mem", "../dri/renderD250", "all"]:
                with self.assertRaisesRegex(Refused, "denied_by_policy .devices"):
                    house.create(devices=[device])
            self.assertEqual(house.containers(), [])

    def test_a_node_that_only_a_group_may_open_is_told(self):
        for node in NODES.values():
            make_node(self.tree / "dev/dri" / node, 44, 0o660)
        with self.spawnerd() as house, self.assertRaisesRegex(Refused, "0666"):
            house.create(devices=[FIRST])


@needs_engine
class Platforms(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        subprocess.run([ROOT / "Tests/Engine/images.sh", "busybox-arm64", "busybox-riscv64"], check=True,
                       stdout=subprocess.DEVNULL)

    FOREIGN = [("busybox-arm64", "linux_arm64", "aarch64"), ("busybox-riscv64", "linux_riscv64", "riscv64")]

    @unittest.skipIf(os.uname().machine != "x86_64", "written for an amd64 host")
    def test_foreign_programs_run(self):
        look = "uname -m; grep -E '^(Seccomp|NoNewPrivs):' /proc/self/status; seq 1 1000 | sort -n | tail -n 1; sleep 0.1 & wait; echo $?"
        with emulators("qemu-aarch64", "qemu-riscv64"), Spawnerd(look) as house:
            self.assertEqual(house.describe()[0], [("linux_amd64", True), ("linux_arm64", False), ("linux_riscv64", False)])
            for image, platform, machine in self.FOREIGN:
                said = house.run(image=f"bulkhead/{image}", platform=platform)
                self.assertEqual(said.splitlines(), [machine, "NoNewPrivs:\t1", "Seccomp:\t2", "1000", "0"])

    def test_without_an_emulator_it_is_told(self):
        with tempfile.TemporaryDirectory() as nothing:
            os.chmod(nothing, 0o755)
            with Spawnerd("uname -m", "--host-tree", nothing) as house:
                self.assertEqual(len(house.describe()[0]), 1)
                with self.assertRaisesRegex(Refused, "denied_by_policy .shape.platform.*no emulator"):
                    house.create(image="bulkhead/busybox-riscv64", platform="linux_riscv64")

    @unittest.skipIf(os.uname().machine != "x86_64", "written for an amd64 host")
    def test_an_image_is_for_the_platform_that_was_asked_for(self):
        with emulators("qemu-aarch64"), Spawnerd("uname -m") as house:
            with self.assertRaisesRegex(Refused, "image_refused"):
                house.create(image="bulkhead/busybox", platform="linux_arm64")
            with self.assertRaisesRegex(Refused, "image_refused"):
                house.create(image="bulkhead/busybox-arm64")
        self.assertEqual(engine("GET", "/images/bulkhead/busybox-arm64/json")[1]["Architecture"], "arm64")


if __name__ == "__main__":
    unittest.main(verbosity=2)
