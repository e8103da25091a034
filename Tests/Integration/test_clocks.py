"""Clocks that jump (F17). The wall clock of all daemons goes an hour and ten years forward and back under jobs that run and wait, with
kills in between: nothing ends early, nothing is forgotten, nobody is refused. And the machine's other clocks begin anew between two
lives, as when it is started again, in a time namespace."""

import contextlib
import datetime
import os
import pathlib
import shutil
import struct
import subprocess
import tempfile
import unittest
import unittest.mock

import house
from house import DAEMONS, House, eventually

HOUR, YEARS = 3600, 315_360_000
JUMPS = [HOUR, -HOUR, YEARS, -YEARS, 0]
SOURCE = pathlib.Path(__file__).with_name("wall_clock.c")
WRAPPED = """#!/bin/sh
export LD_PRELOAD={folder}/wall_clock.so WALL_CLOCK={folder}/ahead
exec {real} "$@"
"""


class WallClock:
    """Programs whose wall clock a test sets: each is a script beside the others that brings the clock along."""

    def __init__(self, stack):
        self.folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bulkhead-clocks-")))
        self.folder.chmod(0o755)
        (self.folder / "ahead").write_bytes(bytes(8))
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", self.folder / "wall_clock.so", SOURCE], check=True)
        (self.folder / "real").mkdir()
        for name in DAEMONS:
            self.wrap(name, self.folder / "real" / name)
        # The command line, too: brokerd takes no order whose time is far from its own. It looks for the daemons beside itself.
        self.wrap("bulkhead", self.folder / "bulkhead.real")
        shutil.copy(house.BINARIES / "bulkhead-runner", self.folder / "bulkhead-runner")
        self.ahead = 0

    def wrap(self, name, real):
        shutil.copy(house.BINARIES / name, real)
        script = self.folder / name
        script.write_text(WRAPPED.format(folder=self.folder, real=real))
        script.chmod(0o755)

    def set(self, seconds):
        """At once, and for all of them."""
        with open(self.folder / "ahead", "r+b") as file:
            file.write(struct.pack("q", seconds))
        self.ahead = seconds


class Jumps(unittest.TestCase):
    def setUp(self):
        self.stack = self.enterContext(contextlib.ExitStack())
        self.clock = WallClock(self.stack)
        self.stack.enter_context(unittest.mock.patch.object(house, "BINARIES", self.clock.folder))
        self.house = self.stack.enter_context(House("--max-runners", "3", "--retention", "1"))

    def assert_clock(self, job):
        """The witness: what schedulerd wrote is of the hour that it was told."""
        created = datetime.datetime.fromisoformat(self.house.job(job)["created_at"].replace("Z", "+00:00"))
        expected = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=self.clock.ahead)
        self.assertLess(abs(created - expected), datetime.timedelta(seconds=HOUR / 2))

    def order(self, number, ahead):
        """A key's orders are in the order of their times, which is what keeps an old one from coming again: one that was given while
        the clock was ahead ends that key's orders until the clock is there again, and says so."""
        done = self.house.bulkhead("secret", "set", "default", f"word-{number}", stdin=b"a-word-that-nobody-says")
        if ahead == max(JUMPS[:number + 1]):
            self.assertEqual(done.returncode, 0, done)
        else:
            self.assertIn(b"the clock of this machine is wrong, or was", done.stderr)

    def test_the_wall_clock(self):
        running = self.house.submit("echo begun; sleep 1000", timeout=1800, retries=0)
        eventually("the job runs", lambda: self.house.log(running) == b"begun\n")
        waiting = self.house.submit("true", needs=[running], queue_timeout=1800)
        ended = []
        for number, ahead in enumerate(JUMPS):
            self.clock.set(ahead)
            if number % 2:
                for daemon in DAEMONS:
                    self.house.kill(daemon)
                eventually("the API is back", lambda: self.house.healthy() and self.house.api("GET", "/jobs")[0] == 200)
            job = self.house.submit("echo $BULKHEAD_ATTEMPT", timeout=600)
            self.assertEqual(self.house.wait(job)["state"], "SUCCEEDED")
            self.assert_clock(job)
            self.order(number, ahead)
            ended.append(job)
            for one in ended:
                self.assertEqual(self.house.job(one)["state"], "SUCCEEDED", "it was forgotten")
                self.assertEqual(self.house.log(one), b"1\n")
            self.assertEqual(self.house.job(running)["state"], "RUNNING")
            self.assertEqual(self.house.job(waiting)["state"], "BLOCKED")
        self.assertEqual(self.house.api("DELETE", f"/jobs/{running}?grace=1")[0], 202)
        self.assertEqual(self.house.wait(running)["state"], "CANCELLED")


class OtherClocks(unittest.TestCase):
    def test_the_machine_was_started_again(self):
        """Monotonic and boot time of another life: much later, and then near zero."""
        with House("--max-runners", "2") as ours:
            waiting = ours.submit("true", tags=["nobody-has-it"], queue_timeout=1800)
            with open("/proc/uptime", encoding="ascii") as file:
                up = int(float(file.read().split()[0]))
            for ahead in [YEARS, 60 - up]:
                ours.stop()
                ours.before = ["unshare", "--time", f"--monotonic={ahead}", f"--boottime={ahead}"]
                ours.start()
                self.assertNotEqual(os.readlink(f"/proc/{ours.up.pid}/ns/time"), os.readlink("/proc/self/ns/time"))
                job = ours.submit("echo $BULKHEAD_ATTEMPT", timeout=600)
                self.assertEqual(ours.wait(job)["state"], "SUCCEEDED")
                self.assertEqual(ours.log(job), b"1\n")
                self.assertEqual(ours.job(waiting)["state"], "QUEUED")
            ours.api("DELETE", f"/jobs/{waiting}")


if __name__ == "__main__":
    if os.geteuid() != 0:
        raise SystemExit("test_clocks: needs root, for a time namespace")
    unittest.main(verbosity=2)
