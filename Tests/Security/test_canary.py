"""S2: and S4: a secret is in the step that names it, in brokerd's sealed store and, while the job runs, in relayd as a pattern; nowhere
else. A canary of 32 random bytes is looked for in the memory of every daemon, the state directory, the grants, the engine's data and its
inspect."""

import os
import pathlib
import re
import secrets
import sys
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests/Integration"))
from house import BINARIES, DAEMONS, House, engine, eventually  # noqa: E402

# 200 in `make test`, 1,000 in `make soak`.
JOBS = int(os.environ.get("BULKHEAD_CANARY_JOBS", "200"))
BATCH = 10

JOB = """\
name: canary
image: bulkhead/busybox
resources: {cpus: 0.25, memory: 64MiB, disk: 16MiB}
steps:
  - name: uses
    run: |
      test ${#CANARY} -eq 32
      echo "$CANARY"
      echo "$CANARY" | base64
      cat "$CANARY_FILE"; echo
      %s
    secrets:
      CANARY: canary
      CANARY_FILE: {secret: canary, as: file}
  - name: does not
    run: test -z "${CANARY:-}" && ! ls /job/.secrets/* 2>/dev/null
"""


def canary():
    return secrets.token_hex(16).encode()


def memory_holds(pid, words):
    """Which of these byte strings lie in what a process may have written: private and shared memory, files excepted."""
    found = set()
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in maps:
            addresses, rights, _, _, inode, *_ = line.split()
            if rights[0] != "r" or (rights[1] != "w" and inode != "0"):
                continue
            start, end = (int(word, 16) for word in addresses.split("-"))
            try:
                memory.seek(start)
                data = memory.read(end - start)
            except (OSError, ValueError, OverflowError):
                continue  # [vvar], [vsyscall]
            found |= {word for word in words if word in data}
    return found


def files_hold(root, words):
    found = {}
    for path in pathlib.Path(root).rglob("*"):
        if path.is_file() and not path.is_symlink():
            try:
                data = path.read_bytes()
            except FileNotFoundError:
                continue
            for word in words:
                if word in data:
                    found[str(path)] = word
    return found


@unittest.skipUnless(os.geteuid() == 0, "reads other processes' memory")
class Canary(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.house = cls.enterClassContext(House("--max-runners", "4"))
        cls.engine_data = engine("GET", "/info")[1]["DockerRootDir"]

    def assert_nowhere(self, words, memory_of):
        for daemon in memory_of:
            self.assertFalse(memory_holds(self.house.pid(daemon), words), f"in the memory of {daemon}")
        self.assertFalse(files_hold(self.house.state, words))

    def test_while_a_job_runs(self):
        value = canary()
        self.house.set_secret("canary", value)
        job = self.house.submit_file("held", JOB % "echo up; while [ ! -e /tmp/go ]; do sleep 0.1; done")
        eventually("the step runs", lambda: b"up\n" in self.house.log(job))
        inspected = engine("GET", f"/containers/{self.house.containers()[0]['Id']}/json")[1]
        pid = inspected["State"]["Pid"]
        # The controls: the same searches find what is there.
        self.assertTrue(memory_holds(self.house.pid("bulkhead-relayd"), [value]), "control: the pattern in relayd")
        steps = [p for p in self.descendants(pid) if value in pathlib.Path(f"/proc/{p}/environ").read_bytes()]
        self.assertTrue(steps, "control: the step's own environment")
        self.assertNotIn(pid, steps, "the runner's environment")
        # S2: nothing of it on the way.
        self.assertNotIn(value.decode(), str(inspected))
        self.assert_nowhere([value], set(DAEMONS) - {"bulkhead-relayd", "bulkhead-brokerd"})
        self.assertFalse(files_hold(pathlib.Path(self.engine_data, "containers"), [value]))
        log = self.house.log(job)
        self.assertNotIn(value, log)
        self.assertGreaterEqual(log.count(b"***"), 2)
        self.house.bulkhead("cancel", job, "--grace", "0", check=0)
        self.house.wait(job)

    def descendants(self, root):
        parents = {}
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    parents[int(entry.name)] = int(entry.joinpath("stat").read_text().rpartition(")")[2].split()[1])
                except OSError:
                    continue
        found, more = set(), {root}
        while more:
            found |= more
            more = {child for child, parent in parents.items() if parent in more} - found
        return found

    def test_a_second_after_many_jobs(self):
        words = []
        for _ in range(0, JOBS, BATCH):
            words.append(canary())
            self.house.set_secret("canary", words[-1])
            jobs = [self.house.submit_file("canary", JOB % ":") for _ in range(BATCH)]
            for job in jobs:
                self.assertEqual(self.house.wait(job)["state"], "SUCCEEDED", self.house.log(job))
                self.assertNotIn(words[-1], self.house.log(job))
            time.sleep(1)  # the promise: one second after the job
            self.assert_nowhere(words, DAEMONS)
        self.assertFalse(files_hold(pathlib.Path(self.engine_data, "containers"), words))
        self.assertFalse(files_hold(self.house.state / "run/grants", words))

    def test_a_leak_is_found(self):
        """control: a value that goes the wrong way, as a plain variable of a job, is found by the same search."""
        value = canary()
        job = self.house.submit("echo $LEAK", env={"LEAK": value.decode()})
        self.house.wait(job)
        self.assertTrue(files_hold(self.house.state, [value]), "in the database and in the log")
        self.assertTrue(memory_holds(self.house.pid("bulkhead-schedulerd"), [value]), "in memory")
        self.assertEqual(len(re.findall(value, self.house.log(job))), 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
