"""Metrics of a house that works: Prometheus' own checker reads them, and the numbers are those of what was done."""

import re
import subprocess
import unittest

from house import ROOT, House, engine, eventually

SAMPLE = re.compile(r'^([a-z_]+)(?:\{(.*)\})? (\S+)$')


class Metrics(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.promtool = subprocess.run([ROOT / "Tests/Engine/promtool.sh"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
        cls.house = cls.enterClassContext(House("--max-runners", "2"))

    def read(self):
        status, body = self.house.http("GET", "/metrics", headers={"Authorization": f"Bearer {self.house.token}"})
        self.assertEqual(status, 200)
        return body.decode()

    def samples(self, text=None):
        found = {}
        for line in (text or self.read()).splitlines():
            if not line.startswith("#"):
                name, labels, value = SAMPLE.match(line).groups()
                found[name, labels or ""] = float(value)
        return found

    def check(self, text):
        return subprocess.run([self.promtool, "check", "metrics"], input=text, capture_output=True, text=True)

    def test_promtool_has_nothing_to_say(self):
        self.house.set_secret("token", b"a secret that is masked")
        job = self.house.submit_file("masked", "image: bulkhead/busybox\nsteps:\n  - run: echo $T\n    secrets: {T: token}\n")
        self.house.wait(job)
        waits = self.house.submit("true", tags=["gold"])
        bad = self.house.submit("true", image="no/such-image")
        self.house.wait(bad)
        text = self.read()
        self.house.bulkhead("cancel", waits, check=0)
        done = self.check(text)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""), text)
        for name in """jobs queue_jobs job_start_seconds_bucket runners retries_total engine_errors_total attempts_total
                       dispatch_seconds_bucket commits_total store_bytes masked_bytes_total log_bytes_total daemon_up build_info
                       api_requests_total api_connections api_resident_memory_bytes""".split():
            self.assertRegex(text, rf"(?m)^bulkhead_{name}[{{ ]", name)
        self.assertIn('bulkhead_queue_jobs{image="",trust="",reason="tag_not_available"} 1\n', text)
        self.assertIn('bulkhead_engine_errors_total{code="image_missing"} 1\n', text)

    def test_promtool_can_refuse(self):
        """The control: a name against the conventions, and a text that is none."""
        good = self.read()
        self.assertEqual(self.check(good).returncode, 0)
        for bad in [good.replace("bulkhead_commits_total", "bulkhead_commits"), good.replace("# HELP bulkhead_jobs ", "# NOTE "),
                    good.replace('state="queued"', 'state="que"ued"')]:
            self.assertNotEqual(bad, good)
            self.assertNotEqual(self.check(bad).returncode, 0)

    def test_the_numbers_are_those_of_what_was_done(self):
        before = self.samples()
        for _ in range(3):
            self.assertEqual(self.house.wait(self.house.submit("echo hello"))["state"], "SUCCEEDED")
        after = self.samples()

        def grown(name, labels=""):
            return after[name, labels] - before.get((name, labels), 0)
        self.assertEqual(grown("bulkhead_jobs", 'state="succeeded"'), 3)
        self.assertEqual(grown("bulkhead_attempts_total"), 3)
        self.assertEqual(grown("bulkhead_job_start_seconds_count", 'start="cold"'), 3)
        self.assertGreater(grown("bulkhead_job_start_seconds_sum", 'start="cold"'), 0)
        self.assertEqual(grown("bulkhead_api_requests_total", 'method="POST",route="/jobs",status="2xx"'), 3)
        self.assertEqual({labels: value for (name, labels), value in after.items() if name == "bulkhead_daemon_up"},
                         {f'daemon="{d}"': 1 for d in ["schedulerd", "brokerd", "spawnerd", "relayd"]})
        self.assertGreater(after["bulkhead_api_resident_memory_bytes", ""], 1 << 20)

    def test_a_killed_container_is_a_retry(self):
        before = self.samples()["bulkhead_retries_total", ""]
        job = self.house.submit('echo $BULKHEAD_ATTEMPT; [ "$BULKHEAD_ATTEMPT" != 1 ] || while :; do sleep 0.1; done')
        eventually("it runs", lambda: b"1" in self.house.log(job))
        runner = self.house.job(job)["runner"]
        (container,) = [c for c in self.house.containers() if runner in str(c)]
        engine("POST", f"/containers/{container['Id']}/kill")
        self.house.wait(job)
        self.assertEqual(self.samples()["bulkhead_retries_total", ""], before + 1)

    def test_a_token_is_needed(self):
        for token in [{}, {"Authorization": "Bearer wrong"}]:
            self.assertEqual(self.house.http("GET", "/metrics", headers=token)[0], 401)

    def test_the_log_leads_from_a_job_to_its_runner(self):
        job = self.house.submit("true")
        self.house.wait(job)
        log = (self.house.state / "log/schedulerd.log").read_text()
        self.assertRegex(log, rf'msg="job has a runner" job={job} runner=[0-9a-f]{{32}} start=cold')
        self.assertRegex(log, rf'msg="job ended" job={job} ')


if __name__ == "__main__":
    unittest.main(verbosity=2)
