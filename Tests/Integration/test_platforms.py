"""Jobs for other processors, through the whole house: the kernel hands their programs to an emulator, and the runner stays what it is."""

import os
import subprocess
import sys
import unittest

from house import ROOT, House

sys.path.insert(0, str(ROOT / "Tests/Engine"))
from emulation import emulators  # noqa: E402

JOB = """\
image: bulkhead/busybox-{name}
platform: linux/{name}
resources: {{cpus: 1, memory: 64MiB, disk: 16MiB}}
steps:
  - run: uname -m
  - run: echo from a file >a && sort a | tr a-z A-Z; (sleep 0.1; echo late) & wait
  - run: exit 3
"""


@unittest.skipIf(os.uname().machine != "x86_64", "written for an amd64 host")
class Platforms(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        subprocess.run([ROOT / "Tests/Engine/images.sh", "busybox-arm64", "busybox-riscv64"], check=True, stdout=subprocess.DEVNULL)
        cls.enterClassContext(emulators("qemu-aarch64", "qemu-riscv64"))
        cls.house = cls.enterClassContext(House("--max-runners", "2"))

    def test_arm64(self):
        self.runs("arm64", "aarch64")

    def test_riscv64(self):
        self.runs("riscv64", "riscv64")

    def test_the_hosts_own(self):
        job = self.house.submit("uname -m")
        self.assertEqual(self.house.wait(job)["state"], "SUCCEEDED")
        self.assertEqual(self.house.log(job), b"x86_64\n")

    def runs(self, name, machine):
        job = self.house.submit_file(name, JOB.format(name=name))
        ended = self.house.wait(job, 120)
        self.assertEqual(ended["state"], "FAILED", ended)
        self.assertIn("exit code 3", ended["reason"])
        self.assertEqual(self.house.log(job).decode(), f"{machine}\nFROM A FILE\nlate\n")

    def test_an_image_for_another_processor_is_told(self):
        job = self.house.submit("true", image="bulkhead/busybox-arm64")
        ended = self.house.wait(job)
        self.assertEqual(ended["state"], "FAILED")
        self.assertIn("the image is for arm64, the request for amd64", ended["reason"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
