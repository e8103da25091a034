"""Bombs of every kind, all at once, each inside the limits of its own container: each ends with a typed reason, the neighbour runs on."""

import pathlib
import unittest

from jobs import SMALL, Attack, submit, tried
from house import DAEMONS, House, eventually

FORK_BOMB = "b() { b | b & b; }; b"


def resident(pid):
    """Bytes of memory that a process holds."""
    fields = dict(line.split(":", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(fields["VmRSS"].split()[0]) << 10


class Bombs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.attack = cls.enterClassContext(Attack())
        cls.house = cls.enterClassContext(House("--max-runners", "4"))
        cls.daemons = {daemon: cls.house.pid(daemon) for daemon in DAEMONS}

    def setUp(self):
        self.neighbour = submit(self.house, "i=0; while [ ! -e /tmp/end ]; do i=$((i+1)); echo $i; sleep 0.2; done",
                                resources={**SMALL, "cpus": 0.25})
        self.ticks()

    def tearDown(self):
        """After each: the neighbour has not stopped, no daemon was lost, and nobody else on the machine either."""
        was = self.ticks()
        eventually("the neighbour runs on", lambda: self.ticks() > was)
        self.assertEqual(self.house.job(self.neighbour)["state"], "RUNNING")
        self.house.bulkhead("cancel", self.neighbour, "--grace", "0", check=0)
        self.house.wait(self.neighbour)
        self.assertEqual({daemon: self.house.pid(daemon) for daemon in DAEMONS}, self.daemons)

    def ticks(self):
        lines = eventually("the neighbour ticks", lambda: self.house.log(self.neighbour).split())
        self.assertEqual(lines, [str(n).encode() for n in range(1, len(lines) + 1)], "without a gap")
        return len(lines)

    def bombs(self, *scripts, states=("FAILED",), **more):
        """Submits all, and waits for all: (how it ended, what it said) of each."""
        jobs = [submit(self.house, script, source=self.attack.upload(self.house), **{"timeout": 30, **more}) for script in scripts]
        ended = []
        for job in jobs:
            seen = self.house.wait(job, 90)
            with tried("bomb", self.house, job):
                self.assertIn(seen["state"], states)
            ended.append((seen, self.house.log(job).decode(errors="replace")))
        return ended

    def test_processes(self):
        """R9: a fork bomb gets no further than its limit, and is gone with its step."""
        (bomb, _), (counted, said) = self.bombs(FORK_BOMB + "; sleep 100", "./attack fork 150; exit 3", timeout=8,
                                                states=["FAILED", "TIMED_OUT"])
        self.assertRegex(bomb["reason"], "exit code|longer than")
        word, count, why = said.split()
        self.assertEqual((word, why), ("forked", "EAGAIN"))
        self.assertLess(int(count), SMALL["pids"])
        self.assertIn("exit code 3", counted["reason"], "what the step says of it is its verdict")
        # The control: with room they are all there.
        (_, said), = self.bombs("./attack fork 150", resources={**SMALL, "pids": 256}, states=["SUCCEEDED"])
        self.assertEqual(said, "forked 150 all\n")

    def test_memory(self):
        """R9: by one process, by many, and as files; the reason names the limit."""
        one, many = self.bombs("./attack take 200", "./attack takes 8 20")
        for ended, said in [one, many]:
            self.assertIn("memory limit of 64MiB", ended["reason"])
            self.assertEqual(ended["steps"][0]["outcome"], "out_of_memory")
            # At most three at once; who was killed makes room for another until the step has seen it.
            self.assertLess(said.count("took all"), 8)
        # What lies in /job, /tmp and /dev/shm is memory, too: sized so that all of it and a process do not fit.
        (files, said), = self.bombs(
            "./attack fill /job/src 64 & wait; cat /dev/zero | head -c 30m >/job/src/a; head -c 14m /dev/zero >/tmp/a; "
            "head -c 7m /dev/zero >/dev/shm/a; ./attack take 40", resources={**SMALL, "disk": "60MiB"})
        self.assertIn("memory limit", files["reason"], said)
        (_, said), = self.bombs("./attack take 200", resources={**SMALL, "memory": "256MiB"}, states=["SUCCEEDED"])
        self.assertEqual(said, "took all\n", "the control")

    def test_files_disk_and_inodes(self):
        """R9: what is full is full for this job only; each in numbers."""
        script = ("for d in /job/src /tmp /dev/shm; do ./attack fill $d 100; done; ./attack open 100000; "
                  "for d in /job/src /tmp; do ./attack inodes $d 20000; done; dd if=/dev/zero of=/job/src/full bs=1M count=100")
        (ended, said), = self.bombs(script)
        lines = [line.split() for line in said.splitlines() if "No space" not in line]
        filled = {words[1]: (int(words[2]), words[3]) for words in lines if words[0] == "filled"}
        # 16 MiB: a quarter, an eighth, the rest.
        self.assertLessEqual(filled["/job/src"][0], 10)
        self.assertLessEqual(filled["/tmp"][0], 4)
        self.assertLessEqual(filled["/dev/shm"][0], 2)
        self.assertLessEqual(sum(count for count, _ in filled.values()), 16)
        self.assertTrue(all(why != "all" for _, why in filled.values()), filled)
        opened = next(words for words in lines if words[0] == "opened")
        self.assertLess(int(opened[1]), 4096)
        self.assertEqual(opened[2], "EMFILE")
        made = {words[1]: (int(words[2]), words[3]) for words in lines if words[0] == "inodes"}
        for directory, (count, why) in made.items():
            self.assertLess(count, 4096 + 1, directory)
            self.assertEqual(why, "ENOSPC")
        self.assertIn("exit code", ended["reason"])
        self.assertIn("No space left", said)
        # The control: with more disk the same program gets further.
        (_, said), = self.bombs("./attack fill /job/src 60; ./attack inodes /job/src 20000",
                                resources={**SMALL, "memory": "256MiB", "disk": "128MiB"}, states=["SUCCEEDED"])
        self.assertEqual(said, "filled /job/src 60 all\ninodes /job/src 20000 all\n")

    def test_output(self):
        """R9: endless output and one endless line: cut off by the step's time; relayd keeps none of it in memory."""
        relay = self.house.pid("bulkhead-relayd")
        before = resident(relay)
        scripts = {"lines": "yes flood", "one line": "tr '\\0' x </dev/zero", "both": "yes e >&2 & tr '\\0' o </dev/zero"}
        jobs = {what: submit(self.house, script, timeout=3, resources={**SMALL, "cpus": 0.25}) for what, script in scripts.items()}
        most = 0

        def ended():
            nonlocal most
            most = max(most, resident(relay))
            return all(self.house.job(job)["state"] == "TIMED_OUT" for job in jobs.values())
        eventually("all are cut off", ended, 60)
        self.assertLess(most - before, 48 << 20)
        for what, job in jobs.items():
            self.assertIn("3s", self.house.job(job)["reason"])
            stored = sum(file.stat().st_size for file in self.house.state.glob(f"relayd/jobs/{job}/*/log"))
            self.assertGreater(stored, 1 << 20, f"the control: there was a flood of {what}")


if __name__ == "__main__":
    unittest.main(verbosity=2)
