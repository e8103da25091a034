"""gVisor for strangers' code: with `--runtime-untrusted runsc` a job whose author nobody vouched for runs under it, and a trusted one
does not. The witnesses are what the engine says of the container, and which kernel the job itself sees."""

import os
import unittest

from house import House, engine, eventually

RUNTIMES = engine("GET", "/info")[1]["Runtimes"] if os.environ.get("BULKHEAD_ENGINE") else {}

# Root of the containers, as the machine knows it: an engine with user namespaces keeps its data in a folder of that name.
ROOT_GROUP = engine("GET", "/info")[1]["DockerRootDir"].rpartition(".")[2] if RUNTIMES else ""

# What gVisor says that it is, whatever the machine: a kernel of its own.
GVISOR = "Linux version 4.4.0 #1 SMP Sun Jan 10 15:06:54 PST 2016"
LOOK = "cat /proc/version; while [ ! -e /tmp/go ]; do sleep 0.1; done"
JOB = "image: bulkhead/busybox\nsteps:\n  - run: " + LOOK + "\n"


@unittest.skipUnless("runsc" in RUNTIMES, "the engine has no runtime runsc")
class Gvisor(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.house = cls.enterClassContext(House("--max-runners", "2", "--runtime-untrusted", "runsc", "--grants-group", ROOT_GROUP))

    def look(self, job):
        """A job that has begun: what it is taken for, the runtime of its container, and the kernel that it sees."""
        eventually("the job runs", lambda: self.house.log(job))
        trust = self.house.job(job)["trust"]
        inspected = engine("GET", f"/containers/{self.house.containers()[0]['Id']}/json")[1]
        version = self.house.log(job).decode().strip()
        self.house.bulkhead("cancel", job, "--grace", "0", check=0)
        self.house.wait(job)
        eventually("its container is gone", lambda: not self.house.containers())
        return trust, inspected["HostConfig"]["Runtime"], version

    def test_an_untrusted_job_has_a_kernel_of_its_own(self):
        job = self.house.submit(LOOK)
        self.assertEqual(self.look(job), ("untrusted", "runsc", GVISOR))

    def test_a_trusted_job_runs_as_before(self):
        job = self.house.submit_file("trusted", JOB)
        trust, runtime, version = self.look(job)
        self.assertEqual((trust, runtime), ("trusted", "runc"))
        self.assertIn(os.uname().release, version, "control: the machine's own kernel")

    def test_nobody_else_passes_through_the_grants(self):
        grants = (self.house.state / "run/grants").stat()
        self.assertEqual((grants.st_mode & 0o7777, str(grants.st_gid)), (0o710, ROOT_GROUP))
        with House() as other:
            self.assertEqual((other.state / "run/grants").stat().st_mode & 0o7777, 0o700)

    def test_a_job_under_gvisor_is_a_job(self):
        """Steps, their users, exit codes, /tmp and a timeout are what they are elsewhere."""
        steps = [{"run": "echo one >/tmp/kept; id -u; echo late >&2"}, {"run": "cat /tmp/kept; sleep 1000 & exit 3"}]
        status, answer = self.house.api("POST", "/jobs", {"image": "bulkhead/busybox", "steps": steps})
        self.assertEqual(status, 201, answer)
        job = self.house.wait(answer["id"])
        self.assertEqual((job["state"], job["reason"].rpartition(" failed")[2]), ("FAILED", " with exit code 3"), job)
        self.assertEqual(sorted(self.house.log(answer["id"]).decode().split()), ["1000", "late", "one"])
        job = self.house.submit("sleep 1000", timeout=1)
        self.assertEqual(self.house.wait(job)["state"], "TIMED_OUT")


class Missing(unittest.TestCase):
    def test_an_engine_without_the_runtime(self):
        """A name that the engine does not know ends the job with the reason; it does not fall back to runc."""
        with House("--runtime-untrusted", "no-such-runtime") as house:
            job = house.wait(house.submit("echo never"))
            self.assertEqual(job["state"], "FAILED", job)
            self.assertIn("no-such-runtime", job["reason"])
            trusted = house.submit_file("trusted", "image: bulkhead/busybox\nsteps:\n  - run: echo fine\n")
            self.assertEqual(house.wait(trusted)["state"], "SUCCEEDED", "control: who needs it not runs")


if __name__ == "__main__":
    unittest.main(verbosity=2)
