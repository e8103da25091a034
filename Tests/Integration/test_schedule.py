"""When a job runs: warm runners, priority, groups, needs, retries, why a job waits, draining, and a house that is empty when nobody
needs it. All as a person does it: job files, the command line, and the engine as witness."""

import json
import signal
import subprocess
import unittest

from house import BINARIES, House, engine, eventually


class Waiting(unittest.TestCase):
    """One runner at a time: whatever comes next has to wait, and says why."""

    @classmethod
    def setUpClass(cls):
        cls.house = cls.enterClassContext(House("--max-runners", "1", "--tags", "ssd"))

    def setUp(self):
        eventually("nothing is left of the test before", lambda: not self.house.api("GET", "/runners")[1]["runners"])

    def submit(self, name, run, *lines):
        """A job file as somebody writes it; the job does not outlive its test."""
        text = "\n".join([f"name: {name}", "image: bulkhead/busybox", *lines, "steps:", f"  - {json.dumps(run)}", ""])
        job = self.house.submit_file(name, text)
        self.addCleanup(self.house.bulkhead, "cancel", job, "--grace", 0)
        return job

    def blocker(self, *lines):
        """A job that runs until it is told to end."""
        job = self.submit("blocker", "while [ ! -e /tmp/never ]; do sleep 0.1; done", *lines)
        self.house.wait_state(job, "RUNNING")
        return job

    def end(self, job):
        self.house.bulkhead("cancel", job, "--grace", 0, check=0)
        self.house.wait(job)

    def why(self, job):
        """What `bulkhead why` says, to a person and to a program."""
        shown = self.house.bulkhead("why", job, check=0).stdout.decode()
        told = json.loads(self.house.bulkhead("why", job, "--json", check=0).stdout)
        self.assertIn(told["whys"][0]["text"], shown)
        self.assertIn("-> " + told["whys"][0]["advice"], shown)
        self.assertIn("history\n", shown)
        return told["whys"][0]["kind"], shown

    def test_why_it_waits_and_how_it_ended(self):
        blocker = self.blocker()
        waits = self.submit("waits", "true")
        kind, shown = self.why(waits)
        self.assertEqual(kind, "all_runners_in_use")
        self.assertIn("--max-runners", shown)
        self.assertEqual(self.why(blocker)[0], "runs")
        tagged = self.submit("tagged", "true", "tags: [ssd, gold]")
        kind, shown = self.why(tagged)
        self.assertEqual(kind, "tag_not_available")
        self.assertIn("gold", shown)
        self.assertIn("tags: gold; it has: ssd", shown)
        self.end(blocker)
        self.assertEqual(self.house.wait(waits)["state"], "SUCCEEDED")
        shown = self.house.bulkhead("why", waits, check=0).stdout.decode()
        for line in ["SUCCEEDED", "submitted: QUEUED", "attempt 1 on a new runner", "RUNNING"]:
            self.assertIn(line, shown)
        self.assertIn("there is no job 99999", self.house.bulkhead("why", 99999).stderr.decode())
        self.end(tagged)

    def test_the_higher_priority_goes_first(self):
        blocker = self.blocker()
        low, usual, high = [self.submit(n, "true", f"priority: {p}") for n, p in [("low", 10), ("usual", 50), ("high", 90)]]
        listed = self.house.bulkhead("jobs", check=0).stdout.decode()
        self.assertRegex(listed, r"JOB +STATE +PRIORITY")
        self.assertRegex(listed, rf"(?m)^{high} +QUEUED +90 ")
        self.end(blocker)
        started = [self.house.wait(job)["started_at"] for job in (high, usual, low)]
        self.assertEqual(started, sorted(started))

    def test_one_of_a_group_at_a_time_and_the_newest_may_replace(self):
        first = self.blocker("group: deploy")
        second = self.submit("second", "true", "group: deploy")
        kind, shown = self.why(second)
        self.assertEqual(kind, "group_is_busy")
        self.assertIn(f"bulkhead cancel {first}", shown)
        third = self.submit("third", "true", "group: deploy", "cancel_in_progress: true")
        self.assertEqual([self.house.wait(job)["state"] for job in (first, second)], ["CANCELLED"] * 2)
        self.assertIn(f"job {third} of its group", self.house.job(second)["reason"])
        self.assertEqual(self.house.wait(third)["state"], "SUCCEEDED")

    def test_jobs_that_need_others(self):
        first = self.blocker()
        then = self.submit("then", "true", f"needs: [{first}]")
        cleanup = self.submit("cleanup", "echo cleaned", f"needs: [{first}]", "when: any_failed")
        always = self.submit("always", "true", f"needs: [{then}, {first}]", "when: always")
        kind, shown = self.why(then)
        self.assertEqual(kind, "needs_other_jobs")
        self.assertIn(f"bulkhead why {first}", shown)
        self.assertEqual(self.house.api("GET", "/status")[1]["blocked"], 3)
        self.end(first)
        self.assertEqual(self.house.wait(then)["state"], "CANCELLED")
        self.assertEqual(self.house.wait(cleanup)["state"], "SUCCEEDED")
        self.assertEqual(self.house.wait(always)["state"], "SUCCEEDED")
        self.assertIn(f"needs     {first} (any_failed)", self.house.bulkhead("job", cleanup, check=0).stdout.decode())

    def test_the_time_in_the_queue_ends(self):
        blocker = self.blocker()
        short = self.submit("short", "true", "queue_timeout: 1s")
        ended = self.house.wait(short)
        self.assertEqual(ended["state"], "TIMED_OUT")
        self.assertIn("queue_timeout", ended["reason"])
        self.end(blocker)

    def test_a_fault_of_the_house_is_tried_again_and_a_failure_is_not(self):
        job = self.submit("retried", 'echo attempt $BULKHEAD_ATTEMPT; [ "$BULKHEAD_ATTEMPT" != 1 ] || while :; do sleep 0.1; done')
        eventually("the first attempt runs", lambda: b"attempt 1" in self.house.log(job))
        (container,) = self.house.containers()
        self.assertEqual(engine("POST", f"/containers/{container['Id']}/kill")[0], 204)
        ended = self.house.wait(job)
        self.assertEqual((ended["state"], ended["attempts"]), ("SUCCEEDED", 2))
        self.assertEqual(self.house.log(job), b"attempt 2\n")
        self.assertIn("attempt 2 follows", self.house.bulkhead("why", job, check=0).stdout.decode())
        for name, run, lines in [("own", "exit 3", []), ("none", "while :; do sleep 0.1; done", ["retries: 0"])]:
            job = self.submit(name, run, *lines)
            if name == "none":
                self.house.wait_state(job, "RUNNING")
                (container,) = self.house.containers()
                engine("POST", f"/containers/{container['Id']}/kill")
            ended = self.house.wait(job)
            self.assertEqual((ended["state"], ended["attempts"]), ("LOST" if name == "none" else "FAILED", 1))
            eventually("its container is gone", lambda: not self.house.containers())

    def test_drain_waits_for_the_last_and_begins_nothing(self):
        blocker = self.blocker()
        waits = self.submit("waits", "true")
        drain = self.enterContext(subprocess.Popen(
            [BINARIES / "bulkhead", "drain", "--wait", "--url", f"http://127.0.0.1:{self.house.port}"],
            env={"BULKHEAD_TOKEN": self.house.token, "PATH": "/usr/bin:/bin"}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        # Also where this test fails: else it would wait for it for ever.
        self.addCleanup(drain.kill)
        self.addCleanup(lambda: self.house.bulkhead("drain", "--off", check=0))
        self.assertEqual(drain.stderr.readline(), f"1 job runs ({blocker}), 1 runner left\n")
        self.assertEqual(self.why(waits)[0], "draining")
        self.assertIn("draining", self.house.bulkhead("status", check=0).stdout.decode())
        # It holds over a restart of whoever decides.
        self.house.kill("bulkhead-schedulerd", signal.SIGKILL)
        eventually("schedulerd is back", lambda: self.house.api("GET", "/status")[0] == 200)
        self.end(blocker)
        out, _ = drain.communicate(timeout=60)
        self.assertEqual((drain.returncode, out), (0, "drained: no runner is left\n"))
        self.assertEqual(self.house.containers(), [])
        self.assertEqual(self.house.job(waits)["state"], "QUEUED")
        self.house.bulkhead("drain", "--off", check=0)
        self.assertEqual(self.house.wait(waits)["state"], "SUCCEEDED")


class Warm(unittest.TestCase):
    def idle(self, house):
        return {r["id"] for r in house.api("GET", "/runners")[1]["runners"] if r["state"] == "IDLE"}

    def test_a_warm_runner_is_taken_and_the_cooldown_ends_all(self):
        house = self.enterContext(House("--max-runners", "3", "--max-idle-runners", "1", "--cooldown", "12s"))
        first = house.submit("true")
        warm = eventually("a runner waits", lambda: self.idle(house))
        self.assertEqual(house.wait(first)["state"], "SUCCEEDED")
        (pool,) = json.loads(house.bulkhead("pools", "--json", check=0).stdout)["pools"]
        self.assertEqual((pool["image"], pool["idle"], pool["trust"]), ("bulkhead/busybox", 1, "untrusted"))
        self.assertIn("bulkhead/busybox", house.bulkhead("pools", check=0).stdout.decode())
        second = house.submit("true")
        self.assertEqual(house.wait(second)["state"], "SUCCEEDED")
        history = house.bulkhead("why", second, check=0).stdout.decode()
        self.assertRegex(history, rf"attempt 1 on a runner that was waiting, ({'|'.join(warm)})")
        self.assertNotIn(warm.pop(), {r["id"] for r in house.api("GET", "/runners")[1]["runners"] if r["state"] != "TEARDOWN"}, "used once")
        eventually("zero containers after the cooldown", lambda: not house.containers(), 60)

    def test_runners_that_wait_go_with_the_house(self):
        house = self.enterContext(House("--max-runners", "3", "--max-idle-runners", "1"))
        house.wait(house.submit("true"))
        eventually("a runner waits", lambda: self.idle(house))
        self.assertTrue(house.containers(), "the control: there is one")
        house.stop()
        self.assertEqual(house.containers(), [])

    def test_drain_removes_what_waits(self):
        house = self.enterContext(House("--max-runners", "3", "--max-idle-runners", "1"))
        house.wait(house.submit("true"))
        eventually("a runner waits", lambda: self.idle(house))
        house.bulkhead("drain", "--wait", check=0)
        self.assertEqual(house.containers(), [])

    def test_a_bad_word_is_told_and_nothing_starts(self):
        for options, environment, expected in [
                (["--cooldown", "soon"], {}, "--cooldown"), (["--idle", "debian"], {}, "IMAGE=NUMBER"),
                ([], {"MAX_IDLE_RUNNERS": "many"}, "MAX_IDLE_RUNNERS"), ([], {"RUNNER_COOLDOWN_MINUTES": "-1"}, "RUNNER_COOLDOWN_MINUTES")]:
            done = subprocess.run([BINARIES / "bulkhead", "up", "--state", "/nonexistent/state", *options], capture_output=True, text=True,
                                  env={"PATH": "/usr/bin:/bin", **environment}, timeout=30)
            self.assertEqual(done.returncode, 64, done.stderr)
            self.assertIn(expected, done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
